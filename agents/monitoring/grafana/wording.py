"""Words of panels: titles, units, and the meaning of metrics and families."""

from collections.abc import Sequence

from agents.monitoring.grafana.selection import headline_window
from stream.metrics.families import Family
from stream.metrics.metric import Metric
from stream.publish.snapshot import main_window
from stream.settings.application import Settings

_WINDOWS = {
    "minute": "this minute", "hour": "this hour so far", "day": "today so far",
    "week": "this week so far", "month": "this month so far", "trailing_5m": "the last 5 minutes",
    "trailing_30m": "the last 30 minutes", "trailing_1h": "the last hour",
    "trailing_24h": "the last 24 hours", "trailing_168h": "the last 168 hours", "trailing_7d": "the last 7 days",
    "trailing_28d": "the last 28 days", "trailing_30d": "the last 30 days",
    "trailing_90d": "the last 90 days", "trailing_365d": "the last 365 days",
    "all": "since counting began",
}  # fmt: skip
_SHORT = {
    "mrr": "MRR", "nps": "NPS", "csat": "CSAT", "ces": "CES", "clv": "CLV", "cac": "CAC",
    "d1": "day 1", "d7": "day 7", "d30": "day 30", "p50": "(median)", "p90": "(90th percentile)",
    "arpa": "ARPA", "cut": "checkpoint", "cuts": "checkpoints",
}  # fmt: skip
#: End of a family's name → unit, by Prometheus's conventions.
_BY_ENDING = (("_bytes", "bytes"), ("_seconds", "s"), ("_ratio", "percentunit"))


def title(name: str) -> str:
    """Turn the name of a metric or family into a title."""
    words = [_SHORT.get(word, word) for word in name.split("_")]
    text = " ".join(words).replace("click through", "click-through")
    return text[0].upper() + text[1:]


def dimension(name: str) -> str:
    """Turn the name of a dimension, or of joined ones, into words."""
    return name.replace(",", " and ").replace("_", " ")


def unit(metric: Metric, settings: Settings) -> str:
    """Choose Grafana's unit of a metric."""
    if metric.unit == "ratio":
        return "percentunit"
    if metric.unit == "seconds":
        return "s"
    if metric.unit == "currency" and settings.currency:
        return f"currency:{settings.currency} "
    return "locale"


def family_unit(family: Family) -> str:
    """Choose Grafana's unit of a family's recorded series."""
    if family.kind == "counter":
        # Seconds of work a second are a share.
        return "percentunit" if family.name.endswith("_seconds") else "cps"
    endings = (unit for ending, unit in _BY_ENDING if family.name.endswith(ending))
    return next(endings, "locale")


def explain(metrics: Sequence[Metric], *, by_segment: bool = False) -> str:
    """Explain the metrics of a panel, for the (i) in its corner."""
    return "\n\n".join(_meaning(metric, by_segment=by_segment) for metric in metrics)


def explain_families(families: Sequence[Family], more: str = "") -> str:
    """Explain the families of a panel, with their helps."""
    lines = [f"- **{title(short_name(family))}**: {family.help}" for family in families]
    if len(families) == 1:
        lines = [families[0].help]
    return "\n".join(lines) + (f"\n\n{more}" if more else "")


def short_name(family: Family) -> str:
    """Name of a family without its prefixes."""
    return family.name.removeprefix("engagement_").removeprefix("worker_")


def _meaning(metric: Metric, *, by_segment: bool) -> str:
    kind = main_window(metric) if by_segment else headline_window(metric)
    window = _WINDOWS.get(kind, kind.replace("_", " "))
    if metric.gauge_complete:
        window = f"{window}, without the current day"
    lines = [
        f"**{title(metric.name)}**: {metric.help}",
        f"Formula: {metric.formula}",
        f"Window: {window}",
    ]
    if metric.approximate:
        lines.append("The value is an estimate.")
    if metric.benchmark:
        lines.append(f"Benchmark: {metric.benchmark.text} ({metric.benchmark.source})")
    if metric.settings:
        lines.append(f"Settings: {', '.join(f'`{name}`' for name in metric.settings)}")
    # Two spaces at the end of a line are a line break in Markdown.
    return "  \n".join(lines)
