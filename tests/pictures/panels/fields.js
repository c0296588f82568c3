// Field options and transformations of a dashboard, applied as Grafana does.
import {
  FieldConfigOptionsRegistry, applyFieldOverrides, cacheFieldDisplayNames, standardTransformers, standardTransformersRegistry,
  transformDataFrame,
} from "@grafana/data";
import { lastValueFrom } from "rxjs";

const FIELD = ["unit", "min", "max", "decimals", "displayName", "noValue", "thresholds", "color", "mappings"];
const DRAWN = [
  "drawStyle", "lineInterpolation", "lineWidth", "lineStyle", "fillOpacity", "fillBelowTo", "gradientMode", "showPoints",
  "pointSize", "spanNulls", "axisPlacement", "axisBorderShow", "axisLabel", "scaleDistribution", "stacking",
  "thresholdsStyle", "hideFrom",
];
const registry = new FieldConfigOptionsRegistry(() => [
  ...FIELD.map((path) => option(path, path)),
  ...DRAWN.map((path) => ({ ...option(`custom.${path}`, path), isCustom: true })),
]);
// One of them has two published names.
const transformers = new Map(Object.values(standardTransformers).map((info) => [info.id, info]));
standardTransformersRegistry.setInit(() =>
  [...transformers.values()].map((info) => ({ id: info.id, name: info.name, transformation: async () => info })));

function option(id, path) {
  return { id, path, name: id, settings: {}, process: (value) => value, override: undefined, shouldApply: () => true };
}

/** Returns the frames of a panel, ready to draw. Throws if an option would be ignored. */
export async function prepared(panel, frames, theme) {
  refuseUnknown(panel);
  const transformed = await lastValueFrom(transformDataFrame(panel.transformations ?? [], frames));
  const drawn = applyFieldOverrides({
    data: transformed, fieldConfig: structuredClone(panel.fieldConfig), fieldConfigRegistry: registry, theme,
    replaceVariables: (text) => text, timeZone: "utc",
  });
  cacheFieldDisplayNames(drawn);
  return drawn;
}

function refuseUnknown(panel) {
  const { defaults, overrides } = panel.fieldConfig;
  const { custom = {}, ...standard } = defaults;
  const said = [
    ...Object.keys(standard), ...Object.keys(custom).map((name) => `custom.${name}`),
    ...overrides.flatMap((override) => override.properties.map(({ id }) => id)),
  ];
  const unknown = said.filter((id) => !registry.getIfExists(id));
  if (unknown.length) throw new Error(`${panel.title}: not drawn here: ${unknown.join(", ")}; add it to fields.js`);
}
