// Draws the charts of the page. Texts are numbers and days; names never reach the chart library.
const CALM = { displayModeBar: false, responsive: true, scrollZoom: false };
const charts = JSON.parse(document.getElementById("charts").textContent);

function draw({ id, format, suffix, x, y, text }) {
  const element = document.getElementById(id);
  const font = { family: "system-ui, sans-serif", size: 11 };
  const axis = { fixedrange: true, automargin: true, tickfont: font, zeroline: false, showline: false };
  const line = {
    type: "scatter", mode: x.length > 1 ? "lines" : "markers", x, y, text, connectgaps: false,
    line: { width: 2 }, hovertemplate: "%{x}: %{text}<extra></extra>",
  };
  Plotly.newPlot(element, [line], {
    height: element.clientHeight, showlegend: false, margin: { l: 4, r: 10, t: 6, b: 4 }, font,
    xaxis: { ...axis, type: "date", nticks: 4, tickformat: x.length > 400 ? "%Y" : "%-d %b", hoverformat: "%a %Y-%m-%d" },
    yaxis: { ...axis, nticks: 4, tickformat: format, ticksuffix: suffix, rangemode: Math.min(...y.filter((v) => v !== null)) < 0 ? "normal" : "tozero" },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "x",
  }, CALM);
}

if (globalThis.Plotly) charts.forEach(draw);
