"""Compare the recorded values of several workers with the true ones at that moment."""

from bisect import bisect_right
from typing import Any, NamedTuple

from agents.monitoring.rules.recording import recorded
from stream.metrics.catalogue import catalogue
from stream.metrics.metric_families import all_families
from stream.publish.snapshot import Snapshot
from stream.settings.application import Settings
from tests.chain.servers import Prometheus
from tests.chain.snapshots import Series, samples

SERVED = "engagement_snapshot_timestamp_seconds"
#: The broken rules sum these two, which no worker shows.
BROKEN = ("engagement_daily_active_users", "engagement_page_views_total")
#: A worker that has gone may have been scraped just before; its last answer counts for this time.
_GONE_SECONDS = 15.0


def broken_rules() -> dict[str, Any]:
    """Return rules with the usual mistake: they sum over the workers."""
    rules = [
        {"record": f"{series}:broken", "expr": f"sum without (instance, pod) ({series})"}
        for series in BROKEN
    ]
    return {"groups": [{"name": "broken", "rules": rules}]}


def names(settings: Settings) -> dict[str, str]:
    """Return shared families by recording rule: rule name → name of the page's samples."""
    shared = [family for family in all_families(catalogue(settings)) if family.is_shared]
    return {recorded(family): family.series for family in shared}


class Verdict(NamedTuple):
    """Number of compared values, the compared and the skipped moments, and the wrong values."""

    values: int
    moments: list[float]
    skipped: set[float]
    wrong: list[str]


class Truth:
    """True values: those of the last snapshot of some worker, or of the one before.

    When rules are evaluated, Prometheus has the last answer of each worker, or the one before while
    the last is on its way. Each answer names its snapshot by the time it was taken. The content of
    the snapshots was read from Redis, not from the workers.
    """

    def __init__(
        self, prometheus: Prometheus, settings: Settings, taken: dict[int, Snapshot], until: float
    ) -> None:
        self._prometheus = prometheus
        self._until = until
        self._shown = {ms: samples(settings, snapshot) for ms, snapshot in taken.items()}
        self._served = {
            series["metric"]["instance"]: [(float(at), float(ts)) for at, ts in series["values"]]
            for series in prometheus.query(f"{SERVED}[30m]")
        }

    def judge(self, rules: dict[str, str]) -> Verdict:
        """Compare all recorded values of the rules: name of the rule → name of the page's samples."""
        pattern = "|".join(rules)
        found = self._prometheus.query(f'{{__name__=~"{pattern}"}}[30m]')
        possible: dict[float, list[dict[Series, float]] | None] = {}
        wrong, values = [], 0
        for series in found:
            labels = {k: v for k, v in series["metric"].items() if k not in ("__name__", "job")}
            key = rules[series["metric"]["__name__"]], frozenset(labels.items())
            for at, text in series["values"]:
                if at > self._until:
                    continue
                if at not in possible:
                    possible[at] = self._possible(at)
                if (then := possible[at]) is not None:
                    values += 1
                    true = [shown[key] for shown in then if key in shown]
                    if float(text) not in true:
                        wrong.append(f"{at}: {series['metric']} is {text}, true is one of {true}")
        skipped = {at for at, then in possible.items() if then is None}
        return Verdict(values, sorted(possible.keys() - skipped), skipped, wrong)

    def _possible(self, at: float) -> list[dict[Series, float]] | None:
        """Return the snapshots of the last two answers of each worker; None if one was missed."""
        present = {s["metric"]["instance"] for s in self._prometheus.query(SERVED, time=f"{at}")}
        found = set()
        for instance, answers in self._served.items():
            last = bisect_right(answers, (at, float("inf")))
            for answered, taken in answers[max(last - 2, 0) : last]:
                if instance in present or at - answered < _GONE_SECONDS:
                    found.add(round(taken * 1000))
        return [self._shown[ms] for ms in found] if found <= self._shown.keys() else None
