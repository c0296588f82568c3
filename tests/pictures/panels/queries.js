// Runs a panel's queries on Prometheus, and makes data frames as Grafana's own data source does.
import { FieldType, createDataFrame } from "@grafana/data";

/** Returns the frames of all queries of a panel, in order. */
export async function framesOf(panel, chosen, span) {
  const answers = await Promise.all(panel.targets.map((target) => ask(target, chosen, span)));
  return answers.flatMap((series, index) => {
    const target = panel.targets[index];
    if (target.format === "table") return [tableOf(target, series, panel.targets.length)];
    return series.map((one) => seriesOf(target, one, span));
  });
}

export function filled(text, chosen) {
  return text.replace(/\$\{?(\w+)\}?/g, (_, name) => {
    if (!(name in chosen)) throw new Error(`no value for the variable ${name} in: ${text}`);
    return chosen[name];
  });
}

async function ask(target, chosen, { prometheus, from, to, step }) {
  const asked = { query: filled(target.expr, chosen) };
  const times = target.instant ? { time: to } : { start: from, end: to, step };
  const kind = target.instant ? "query" : "query_range";
  const body = new URLSearchParams({ ...asked, ...times });
  const answer = await (await fetch(`${prometheus}/api/v1/${kind}`, { method: "POST", body })).json();
  if (answer.status !== "success") throw new Error(`${answer.error}: ${asked.query}`);
  return answer.data.result;
}

/** Returns one line; a step without a sample is a gap. */
function seriesOf(target, { metric, values, value }, { from, to, step }) {
  const found = new Map((values ?? [value]).map(([time, text]) => [Math.round(time), Number(text)]));
  const times = [];
  if (target.instant) times.push(...found.keys());
  else for (let time = from; time <= to; time += step) times.push(time);
  const { __name__, ...labels } = metric;
  const name = legend(target.legendFormat, labels, __name__);
  const config = { displayNameFromDS: name };
  return createDataFrame({
    refId: target.refId,
    name,
    fields: [
      { name: "Time", type: FieldType.time, config: { interval: step * 1000 }, values: times.map((t) => t * 1000) },
      { name: "Value", type: FieldType.number, labels, config, values: times.map((t) => finite(found.get(t))) },
    ],
  });
}

/** Returns all series as rows of one table: labels, then the number. */
function tableOf(target, series, queries) {
  const names = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const column = (name) => series.map(({ metric }) => metric[name] ?? null);
  return createDataFrame({
    refId: target.refId,
    fields: [
      { name: "Time", type: FieldType.time, config: {}, values: series.map(({ value }) => value[0] * 1000) },
      ...names.map((name) => ({ name, type: FieldType.string, config: {}, values: column(name) })),
      {
        name: queries > 1 ? `Value #${target.refId}` : "Value", type: FieldType.number, config: {},
        values: series.map(({ value }) => finite(Number(value[1]))),
      },
    ],
  });
}

function legend(format, labels, metric) {
  if (format) return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? "");
  return `${metric ?? ""}{${Object.entries(labels).map(([name, value]) => `${name}="${value}"`).join(", ")}}`;
}

function finite(number) {
  return Number.isFinite(number) ? number : null;
}
