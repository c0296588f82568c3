// Shows the definition of a number in a dialog.
import { make } from "./elements.js";

const PARTS = [
  ["definition", "Definition"], ["formula", "Formula"], ["example", "Example"],
  ["benchmark", "Benchmark"], ["settings", "Settings that change it"], ["series", "In Prometheus"],
];
let meanings = {};

export function setMeanings(found) {
  meanings = found;
}

export function explain(name, title) {
  const meaning = meanings[name] ?? { title: name, definition: "The worker has no definition of it." };
  document.getElementById("meaning-title").textContent = title ?? meaning.title;
  const parts = PARTS.filter(([key]) => meaning[key]).flatMap(([key, label]) => [
    make("dt", label), make("dd", meaning[key]),
  ]);
  document.getElementById("meaning-parts").replaceChildren(...parts);
  document.getElementById("meaning").showModal();
}

export function title(name) {
  return meanings[name]?.title ?? name;
}
