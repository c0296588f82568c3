"""Compares what recording rules have said of several workers with what was true at that moment."""

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
#: Of these two the broken rules say what no worker does.
BROKEN = ("engagement_daily_active_users", "engagement_page_views_total")
#: A worker that is gone may have been scraped just before; its last answer counts for so long.
_GONE_SECONDS = 15.0


def broken_rules() -> dict[str, Any]:
    """The mistake that everybody makes who writes such rules by hand."""
    rules = [
        {"record": f"{series}:broken", "expr": f"sum without (instance, pod) ({series})"}
        for series in BROKEN
    ]
    return {"groups": [{"name": "broken", "rules": rules}]}


def names(settings: Settings) -> dict[str, str]:
    """Name of a recording rule → the samples of the page that it makes one, where all workers share them."""
    shared = [family for family in all_families(catalogue(settings)) if family.is_shared]
    return {recorded(family): family.series for family in shared}


class Verdict(NamedTuple):
    """How many values were compared, at which moments, at which not, and those that were not true."""

    values: int
    moments: list[float]
    skipped: set[float]
    wrong: list[str]


class Truth:
    """A value is true when it is that of the last snapshot, or of the one before, of some worker.

    Of each worker Prometheus has the last answer when rules are evaluated, or still the one before
    while the last is on its way. Each answer names its snapshot by the moment at which that was
    taken, and what a snapshot says was read from Redis, past the workers.
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
        """Compare all that rules have recorded: name of the rule → name of the page's samples."""
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
        """What was true, by the last two answers of each worker; None where a snapshot was missed."""
        present = {s["metric"]["instance"] for s in self._prometheus.query(SERVED, time=f"{at}")}
        found = set()
        for instance, answers in self._served.items():
            last = bisect_right(answers, (at, float("inf")))
            for answered, taken in answers[max(last - 2, 0) : last]:
                if instance in present or at - answered < _GONE_SECONDS:
                    found.add(round(taken * 1000))
        return [self._shown[ms] for ms in found] if found <= self._shown.keys() else None
