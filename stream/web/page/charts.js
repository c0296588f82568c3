// Draws sparklines with Plotly if it is loaded; `summary` says the same in words.
import { formatted } from "./format.js";

const CALM = { staticPlot: true, displayModeBar: false, responsive: false };
const drawn = new Map();

export function drawLine(element, times, values) {
  drawn.set(element, [times, values]);
  if (!globalThis.Plotly || !element.clientWidth || values.length < 2) return;
  const color = getComputedStyle(document.documentElement).getPropertyValue("--line").trim();
  const line = {
    // Copies: the library redraws only arrays that are new objects.
    type: "scatter", mode: "lines", x: [...times], y: [...values], connectgaps: false,
    line: { color, width: 2 }, hoverinfo: "skip",
  };
  const axis = { visible: false, fixedrange: true };
  const flat = range(values);
  globalThis.Plotly.react(element, [line], {
    width: element.clientWidth, height: element.clientHeight, showlegend: false,
    margin: { l: 0, r: 0, t: 3, b: 3 }, xaxis: axis, yaxis: flat ? { ...axis, range: flat } : axis,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
  }, CALM);
}

export function redraw() {
  for (const [element, [times, values]] of drawn) drawLine(element, times, values);
}

export function summary(values, unit, times) {
  const found = values.filter((value) => value !== null);
  if (found.length < 2) return "No history yet.";
  const minutes = Math.max(1, Math.round((times.at(-1) - times[0]) / 60000));
  const [low, high] = [least(found), most(found)].map((value) => formatted(value, unit));
  return `In the last ${minutes} min between ${low} and ${high}.`;
}

const least = (values) => values.reduce((a, b) => Math.min(a, b));
const most = (values) => values.reduce((a, b) => Math.max(a, b));

// Draws a flat line in the middle.
function range(values) {
  const found = values.filter((value) => value !== null);
  if (!found.length) return null;
  const [low, high] = [least(found), most(found)];
  return low === high ? [low - 1, high + 1] : null;
}
