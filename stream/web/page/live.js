// Follows the events of the worker and shows them; text from outside is never parsed as markup.
import { drawLine, redraw, summary } from "./charts.js";
import { difference, formatted, PERIODS } from "./format.js";
import { fill, make } from "./elements.js";
import { explain, setMeanings } from "./meaning.js";
import { showAccounting, showAlerts, showHeaviest, showLists, showPipeline, showStale, showTicks } from "./sections.js";

// Events come once per second; after this long without one, the connection counts as lost.
const SILENT_MS = 5000;
// Numbers are computed once per second; older ones are shown as old.
const OLD_MS = 5000;
const HISTORY_MAX = 600;

const at = (id) => document.getElementById(id);
let known = null; // headlines, lists and meanings of the worker
let latest = null; // the newest state, and when it arrived
let isOpen = false;
let history = { taken_ms: [], sites: {} };
const cards = new Map();

function start() {
  fetch("/live/definitions").then((answer) => answer.json()).then((found) => {
    known = found;
    setMeanings(found.meanings);
    at("numbers").replaceChildren(...found.headlines.map(card));
    show();
  }).catch(() => setTimeout(start, 2000));
}

function listen() {
  const source = new EventSource("/live/events");
  source.addEventListener("open", () => { isOpen = true; turnBadge(); });
  source.addEventListener("error", () => {
    isOpen = false;
    turnBadge();
    // After some answers, such as a proxy's, a browser gives up. This page tries again.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  });
  source.addEventListener("history", (event) => {
    history = JSON.parse(event.data);
    at("ticker").replaceChildren();
    showTicks(at("ticker"), history.ticks);
  });
  source.addEventListener("state", (event) => {
    latest = { state: JSON.parse(event.data), at: performance.now() };
    remember(latest.state.numbers);
    show();
  });
}

function remember(numbers) {
  if (!numbers || history.taken_ms.at(-1) >= numbers.taken_ms) return;
  history.taken_ms.push(numbers.taken_ms);
  const length = history.taken_ms.length;
  for (const { site, now } of numbers.sites) {
    const columns = (history.sites[site] ??= now.map(() => []));
    now.forEach((value, i) => {
      while (columns[i].length < length - 1) columns[i].push(null);
      columns[i].push(value);
    });
  }
  if (length > HISTORY_MAX) {
    history.taken_ms.shift();
    Object.values(history.sites).forEach((columns) => columns.forEach((column) => column.shift()));
  }
  showTicks(at("ticker"), numbers.ticks);
}

function card(headline) {
  const parts = {};
  for (const name of ["title", "value", "before", "chart", "unseen"]) {
    parts[name] = make("span", "", name);
  }
  parts.title.textContent = headline.title;
  parts.chart.setAttribute("aria-hidden", "true"); // `unseen` says it in words
  const button = make("button", "", "number");
  button.type = "button";
  button.id = `number-${headline.metric}`;
  button.setAttribute("aria-haspopup", "dialog");
  button.append(parts.title, parts.value, parts.before, parts.chart, parts.unseen);
  button.addEventListener("click", () => explain(headline.metric, headline.title));
  cards.set(headline.metric, parts);
  return button;
}

function show() {
  turnBadge();
  if (!latest || !known) return;
  const { state } = latest;
  showStale(at("stale"), state.stale);
  showPipeline(at("pipeline"), state.stages);
  showAlerts(at("alerts"), at("alerts-note"), state.alerts);
  if (!state.numbers) return;
  showHeaviest(at("heaviest"), state.numbers.heaviest);
  showAccounting(at("accounting"), state.numbers.accounting, known.left_out);
  const site = chosenSite(state.numbers.sites);
  if (!site) return;
  known.headlines.forEach((headline, i) => showNumber(headline, i, site));
  showLists(at("lists"), site.lists, known);
}

function showNumber(headline, i, site) {
  const parts = cards.get(headline.metric);
  const [now, before] = [site.now[i], site.before[i]];
  parts.value.textContent = formatted(now, headline.unit);
  const period = PERIODS[headline.window] ?? "the period before";
  parts.before.textContent = before === null
    ? `${period}: unknown`
    : `${period}: ${formatted(before, headline.unit)}${difference(now, before, headline.unit, headline.window)}`;
  const values = history.sites[site.site]?.[i] ?? [];
  parts.unseen.textContent = summary(values, headline.unit, history.taken_ms);
  drawLine(parts.chart, history.taken_ms, values);
}

function chosenSite(sites) {
  const choice = at("site");
  const names = sites.map((site) => site.site);
  if ([...choice.options].map((option) => option.value).join("\n") !== names.join("\n")) {
    const before = choice.value;
    fill(choice, names.map((name) => new Option(name, name)));
    if (names.includes(before)) choice.value = before;
    at("site-choice").hidden = names.length < 2;
  }
  return sites.find((site) => site.site === choice.value) ?? sites[0];
}

function turnBadge() {
  const [state, text, age] = freshness();
  const badge = at("badge");
  // Set only on a change: a screen reader reads every change aloud.
  if (badge.dataset.state !== state) badge.dataset.state = state;
  if (at("badge-text").textContent !== text) at("badge-text").textContent = text;
  at("age").textContent = age;
  document.body.classList.toggle("is-old", state === "bad");
}

function freshness() {
  if (!latest) return isOpen ? ["waiting", "connected", "no numbers yet"] : ["waiting", "connecting", "no numbers yet"];
  const silent = performance.now() - latest.at;
  const { state } = latest;
  const taken = state.numbers?.taken_ms;
  const old = taken === undefined ? null : state.now_ms - taken + silent;
  const age = old === null ? "no numbers yet" : `numbers of ${(Math.max(old, 0) / 1000).toFixed(old < 9950 ? 1 : 0)} s ago`;
  if (!isOpen || silent > SILENT_MS) return ["bad", "connection lost", age];
  if (old === null) return ["waiting", "waiting for numbers", age];
  if (state.stale.length) return ["bad", "stale", age];
  if (old > OLD_MS) return ["bad", "numbers are old", age];
  return ["ok", "live", age];
}

at("site").addEventListener("change", show);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
addEventListener("resize", redraw);
setInterval(turnBadge, 500);
start();
listen();
