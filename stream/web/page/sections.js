// Shows the sections below the headlines: pipeline, alerts, pages and segments, latest counts.
import { fill, make } from "./elements.js";
import { clock, formatted } from "./format.js";
import { explain, title } from "./meaning.js";

const TICKS_MAX = 20;
const WORDS = { ok: "works", waiting: "waiting", bad: "problem" };

export function showPipeline(list, stages) {
  fill(list, stages.map((stage) => {
    const item = make("li");
    const name = make("strong", stage.name);
    const state = make("span", ` ● ${WORDS[stage.state]}`);
    state.dataset.state = stage.state;
    item.append(name, state, make("span", stage.text, "text"));
    return item;
  }));
}

export function showHeaviest(list, people) {
  list.hidden = !people.length;
  fill(list, people.map(({ partition, digest, ratio, per_second }) => {
    const item = make("li", `Shard ${partition}: one person sends ${formatted(ratio, "ratio")} of the events, `);
    const rate = make("span", `${formatted(per_second)} a second. Digest of the person: `);
    item.append(rate, make("code", digest));
    return item;
  }));
}

export function showStale(list, reasons) {
  list.hidden = !reasons.length;
  const lines = reasons.map(({ reason, since_ms, text }) => [
    `Not live since ${clock(since_ms)}: ${reason.replaceAll("_", " ")}`, `. ${text}`,
  ]);
  // Set only on a change: a screen reader reads every change aloud.
  if (list.textContent === lines.flat().join("")) return;
  fill(list, lines.map(([name, more]) => {
    const item = make("li");
    item.append(make("strong", name), make("span", more));
    return item;
  }));
}

export function showAlerts(list, note, alerts) {
  const count = (state) => alerts.alerts.filter((alert) => alert.state === state).length;
  const [firing, pending, resolved] = ["firing", "pending", "resolved"].map(count);
  const parts = [`${firing} firing`, `${pending} pending`, ...(resolved ? [`${resolved} resolved`] : [])];
  if (!alerts.configured) note.textContent = "Set web.prometheus_url to see the alerts of Prometheus here.";
  else if (alerts.problem) note.textContent = alerts.problem;
  else if (!alerts.known) note.textContent = "no answer yet";
  else note.textContent = alerts.alerts.length ? parts.join(", ") : "no alerts";
  note.dataset.state = alerts.problem || firing ? "bad" : "";
  const wanted = alerts.alerts.map((alert) => [
    `${alert.name} ${alert.site ? `(${alert.site}) ` : ""}`, ` ${alert.state}`, ` ${alert.summary}`, alert.state,
  ]);
  fill(list, wanted.map(([name, state, text, kind]) => {
    const item = make("li");
    const word = make("strong", state);
    word.dataset.state = { firing: "bad", pending: "waiting" }[kind] ?? "ok";
    item.append(make("strong", name), word, make("span", text));
    return item;
  }));
}

export function showAccounting(table, accounting, meanings) {
  const rejected = Object.entries(accounting.no_event).sort((a, b) => b[1] - a[1]);
  const reasons = rejected.map(([reason, count]) => `${formatted(count)} ${reason}`).join(", ");
  const left = Object.entries(accounting.left_out).map(([name, count]) => [
    name, count, name === "no event" ? reasons : meanings[name],
  ]);
  const rows = [["read", accounting.lines, ""], ["counted", accounting.counted, ""], ...left];
  fill(table.tBodies[0], rows.map(([name, count, text]) => {
    const row = make("tr");
    const head = make("th", name);
    head.scope = "row";
    row.append(head, make("td", formatted(count)), make("td", text, "text"));
    return row;
  }));
}

export function showLists(place, lists, known) {
  const names = Object.keys(known.lists).filter((name) => lists[name]?.length);
  const tables = new Map([...place.children].map((table) => [table.dataset.list, table]));
  // Tables that stay keep their elements, and with them the focus.
  if ([...tables.keys()].join("\n") !== names.join("\n")) {
    fill(place, names.map((name) => table(name, known.lists[name])));
  }
  for (const element of place.children) {
    fill(element.tBodies[0], lists[element.dataset.list].map(([label, value]) => {
      const row = make("tr");
      const head = make("th", label);
      head.scope = "row";
      row.append(head, make("td", formatted(value)));
      return row;
    }));
  }
}

function table(name, metric) {
  const element = make("table");
  element.dataset.list = name;
  const caption = element.createCaption();
  caption.append(make("strong", name), " by ", opener(metric));
  element.append(make("tbody"));
  return element;
}

function opener(name) {
  const button = make("button", title(name).toLowerCase(), "plain");
  button.type = "button";
  button.addEventListener("click", () => explain(name));
  return button;
}

export function showTicks(list, ticks) {
  for (const tick of ticks) {
    const item = make("li");
    item.append(make("span", clock(tick.at_ms), "unit"));
    const counted = Object.entries(tick.counted);
    if (!counted.length) item.append(make("span", "nothing new"));
    for (const [name, count] of counted) {
      const part = make("span", `${formatted(count / tick.seconds)} `);
      part.append(opener(name));
      item.append(part);
    }
    list.prepend(item);
  }
  while (list.children.length > TICKS_MAX) list.lastElementChild.remove();
}
