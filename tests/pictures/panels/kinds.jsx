// Kinds of panels, each drawn with the Grafana component of its plugin.
import { VizOrientation, dateTime, getDisplayValueAlignmentFactors, getFieldDisplayValues } from "@grafana/data";
import { BarGauge, BigValue, Tag, TimeSeries, VizRepeater } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";

function Stat({ panel, frames, width, height, theme }) {
  const { options } = panel;
  const single = ({ value, width, height, count, alignmentFactors }) => (
    <BigValue value={value.display} sparkline={value.sparkline} count={count} width={width} height={height} theme={theme}
      colorMode={options.colorMode} graphMode={options.graphMode} justifyMode={options.justifyMode}
      textMode={options.textMode} alignmentFactors={alignmentFactors} disableWideLayout={!options.wideLayout} />
  );
  const sparkline = options.graphMode !== "none";
  return <Repeated {...{ panel, frames, width, height, theme, single, sparkline }} autoGrid />;
}

function Bars({ panel, frames, width, height, theme }) {
  const { options } = panel;
  const single = ({ value, width, height, orientation, alignmentFactors }) => (
    <BarGauge value={value.display} field={value.field} display={value.view?.getFieldDisplayProcessor(value.colIndex)}
      width={width} height={height} orientation={orientation} theme={theme} itemSpacing={8} lcdCellWidth={12}
      displayMode={options.displayMode} showUnfilled={options.showUnfilled} valueDisplayMode={options.valueMode}
      namePlacement={options.namePlacement} alignmentFactors={alignmentFactors} />
  );
  return <Repeated {...{ panel, frames, width, height, theme, single }} itemSpacing={10} minVizWidth={options.minVizWidth}
    minVizHeight={options.minVizHeight} maxVizHeight={options.maxVizHeight} />;
}

function Repeated({ panel, frames, width, height, theme, single, sparkline, ...rest }) {
  const { reduceOptions, orientation } = panel.options;
  const values = () => getFieldDisplayValues({
    data: frames, fieldConfig: panel.fieldConfig, reduceOptions, sparkline, theme, timeZone: "utc",
    replaceVariables: (text) => text,
  });
  return <VizRepeater getValues={values} renderValue={single} width={width} height={height} source={frames}
    renderCounter={0} orientation={orientation ?? VizOrientation.Auto} {...rest}
    getAlignmentFactors={(found) => getDisplayValueAlignmentFactors(found)} />;
}

function Trend({ panel, frames, width, height, span }) {
  const [from, to] = [dateTime(span.from * 1000), dateTime(span.to * 1000)];
  return <TimeSeries frames={frames} width={width} height={height} timeZone="utc" legend={panel.options.legend}
    timeRange={{ from, to, raw: { from, to } }} />;
}

function Rows({ frames, width, height }) {
  return <TableNG data={frames[0]} width={width} height={height} noHeader={false} cellHeight="sm" transparent={false} />;
}

/** A plain list of alerts: Grafana publishes no component for it. */
function Alerts({ alerts }) {
  if (!alerts.length) return <p>No alerts matching filters</p>;
  return alerts.map(({ labels, annotations, state }) => (
    <p key={labels.alertname + JSON.stringify(labels)}>
      <Tag name={state} colorIndex={state === "firing" ? 1 : 7} /> <b>{labels.alertname}</b> {annotations.summary}
    </p>
  ));
}

export const KINDS = { stat: Stat, bargauge: Bars, timeseries: Trend, table: Rows, alertlist: Alerts };
