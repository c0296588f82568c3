// Formats numbers, times and differences for people.
const counts = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const shares = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 2 });
const changes = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" });
const points = new Intl.NumberFormat("en", { maximumFractionDigits: 1, signDisplay: "exceptZero" });

export const PERIODS = {
  trailing_5m: "5 minutes before", trailing_30m: "30 minutes before", trailing_1h: "hour before",
  hour: "all of the hour before",
  day: "all of yesterday", trailing_7d: "7 days before", trailing_28d: "28 days before",
  trailing_24h: "24 hours before", trailing_168h: "168 hours before", trailing_30d: "30 days before",
  trailing_90d: "90 days before", week: "all of the week before", month: "all of the month before",
};

export function formatted(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "ratio") return shares.format(value);
  return unit === "seconds" ? `${counts.format(value)} s` : counts.format(value);
}

export function difference(now, before, unit, window) {
  // A day under way is not compared with a whole day.
  if (now === null || before === null || !window.startsWith("trailing")) return "";
  if (unit === "ratio") return ` (${points.format((now - before) * 100)} points)`;
  return before ? ` (${changes.format(now / before - 1)})` : "";
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString("en-GB");
}
