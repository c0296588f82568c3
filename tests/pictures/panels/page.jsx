// Page with one shipped dashboard: its panels in their grid, with the numbers of a Prometheus.
import { createTheme, ThemeContext } from "@grafana/data";
import { GlobalStyles, PanelChrome } from "@grafana/ui";
import { createRoot } from "react-dom/client";
import { prepared } from "./fields.js";
import { KINDS } from "./kinds.jsx";
import { filled, framesOf } from "./queries.js";

// The grid of Grafana: 24 columns, cells of 30 pixels with 8 between them.
const [COLUMNS, CELL, GAP, MARGIN] = [24, 30, 8, 16];

function placed({ x, y, w, h }, width) {
  const column = (width - 2 * MARGIN + GAP) / COLUMNS;
  return {
    left: Math.round(MARGIN + x * column), top: y * (CELL + GAP),
    width: Math.round(w * column - GAP), height: h * (CELL + GAP) - GAP,
  };
}

function isEmpty(frames) {
  return !frames.some((frame) => frame.length);
}

function Panel({ panel, title, frames, place, theme, span, alerts }) {
  const Kind = KINDS[panel.type];
  return (
    <PanelChrome title={title} description={panel.description} width={place.width} height={place.height}>
      {(width, height) => panel.targets && isEmpty(frames)
        ? <p style={{ textAlign: "center" }}>No data</p>
        : <Kind {...{ panel, frames, width, height, theme, span, alerts }} />}
    </PanelChrome>
  );
}

function Dashboard({ title, chosen, shown, bottom, theme, span, alerts, width }) {
  const { text, background } = theme.colors;
  const names = Object.entries(chosen).map(([name, value]) => `${name}: ${value === ".+" ? "All" : value}`);
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <main style={{ background: background.canvas, width, paddingBottom: GAP }}>
        <header style={{ padding: `12px ${MARGIN}px 8px`, display: "flex", gap: 24, alignItems: "baseline" }}>
          <b style={{ fontSize: 18 }}>{title}</b>
          {names.map((name) => <span key={name} style={{ color: text.secondary }}>{name}</span>)}
        </header>
        <div style={{ position: "relative", height: bottom * (CELL + GAP) }}>
          {shown.map(({ panel, title, frames }) => {
            const place = placed(panel.gridPos, width);
            return (
              <div key={panel.id} style={{ position: "absolute", ...place }}>
                {panel.type === "row"
                  ? <h2 style={{ fontSize: 16, lineHeight: "30px", margin: 0 }}>⌄ {title}</h2>
                  : <Panel {...{ panel, title, frames, place, theme, span, alerts }} />}
              </div>
            );
          })}
        </div>
      </main>
    </ThemeContext.Provider>
  );
}

/** Draws the panels above the grid line `bottom`; returns the titles of panels without a number. */
window.draw = async ({ dashboard, chosen, span, bottom, width, mode }) => {
  const theme = createTheme({ colors: { mode } });
  document.body.style.margin = 0;
  const panels = dashboard.panels.filter(({ gridPos }) => gridPos.y + gridPos.h <= bottom);
  const answer = await (await fetch(`${span.prometheus}/api/v1/alerts`)).json();
  const alerts = answer.data.alerts.filter(({ labels }) => labels.alertname.startsWith("Engagement"));
  const shown = await Promise.all(panels.map(async (panel) => {
    const frames = panel.targets ? await prepared(panel, await framesOf(panel, chosen, span), theme) : [];
    return { panel, title: filled(panel.title, chosen), frames };
  }));
  const root = document.body.appendChild(document.createElement("div"));
  createRoot(root).render(<Dashboard {...{ title: dashboard.title, chosen, shown, bottom, theme, span, alerts, width }} />);
  return shown.filter(({ panel, frames }) => panel.targets && isEmpty(frames)).map(({ title }) => title);
};
