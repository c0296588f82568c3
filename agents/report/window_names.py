"""Writes the time of a window for people."""

from datetime import datetime, timedelta

from schemas.outputs import MetricRecord
from stream.counters.measures import Grain
from stream.counters.windows import GRAIN_OF, LENGTH_OF


def newest_moment(record: MetricRecord) -> datetime:
    """Return a moment in the newest bucket of a window (not `all`), in the zone of its site."""
    window = record.window
    if window.kind in LENGTH_OF:
        return datetime.fromisoformat(window.end or "") - timedelta(minutes=1)
    return datetime.fromisoformat(window.start or "")


def shown_period(record: MetricRecord) -> str:
    """Write the time of a window: the begin of a calendar window, the end of a rolling one."""
    kind = record.window.kind
    if kind == "all":
        return ""
    if kind == "range":
        last = datetime.fromisoformat(record.window.end or "") - timedelta(minutes=1)
        return f"{(record.window.start or '')[:10]} to {last:%Y-%m-%d}"
    newest = newest_moment(record)
    if kind == "month":
        return f"{newest:%Y-%m}"
    text = f"{newest:%Y-%m-%d}" if GRAIN_OF[kind] is Grain.DAY else f"{newest:%Y-%m-%d %H:%M}"
    return {"week": f"from {text}", "day": f"{newest:%a} {text}"}.get(
        kind, f"to {text}" if kind in LENGTH_OF else text
    )
