"""`engage plan` names every metric whose counts or formula a setting changes."""

from collections import defaultdict
from functools import cache
from typing import Any

import msgspec
import pytest

from stream.configure.check_service import broken_rules
from stream.configure.fields import leaves
from stream.configure.fingerprints import Fingerprint, changes, fingerprints
from stream.metrics.catalogue import catalogue, defining_tables
from stream.metrics.metric import Metric
from stream.metrics.terms import Need
from stream.settings.application import Settings
from tests.properties.engine import EVERYONE, Worker
from tests.properties.inputs.settings_changed import CHANGES, NOT_RUN, WITHOUT, Changed
from tests.properties.inputs.varied_log import varied_log

LOG = varied_log()
#: (measure, grain) → (segment, index of the bucket) → count
Counts = dict[Need, dict[tuple[tuple[str, str, str], int], int]]


class Recount:
    """Counts of the log under one configuration: in its middle, with open sessions, and at its end."""

    def __init__(self, settings: Settings) -> None:
        assert broken_rules(settings) == []
        self.metrics = {metric.name: metric for metric in catalogue(settings)}
        self.fingerprints: dict[str, Fingerprint] = fingerprints(settings)
        worker = Worker(0, {"page-views": LOG}, settings, EVERYONE, now_ms=1 << 60)
        worker.read("page-views", len(LOG) // 2)
        worker.close()
        worker.checkpoint()
        middle = _counts(worker)
        worker.read("page-views", len(LOG))
        worker.finish()
        self.moments = (middle, _counts(worker))

    def moved(self, other: "Recount") -> dict[Need, set[str]]:
        """Return (measure, grain) → dimensions, "" for whole sites, in which the counts differ."""
        found: dict[Need, set[str]] = defaultdict(set)
        for own_counts, other_counts in zip(self.moments, other.moments, strict=True):
            for need in own_counts.keys() | other_counts.keys():
                one, two = own_counts.get(need, {}), other_counts.get(need, {})
                if one != two:
                    found[need] |= {segment[1] for (segment, _), _ in one.items() ^ two.items()}
        return found


def _counts(worker: Worker) -> Counts:
    found: Counts = defaultdict(dict)
    for (grain, index), part in worker.parts():
        for (measure, segment), count in part.items():
            if count:
                found[measure, grain][segment, index] = count
    return found


def _reads(metric: Metric, moved: dict[Need, set[str]]) -> bool:
    """Return whether a metric reads any of the counts."""
    return any(metric.covers(one) for need in metric.needs() & moved.keys() for one in moved[need])


def _settings(given: dict[str, object]) -> Settings:
    tree: dict[str, Any] = {}
    for name, value in given.items():
        table, _, field = name.rpartition(".")
        (tree.setdefault(table, {}) if table else tree)[field] = value
    return msgspec.convert(tree, Settings)


@cache
def _recount_of(text: str) -> Recount:
    return Recount(_settings(msgspec.json.decode(text)))


def _recount(given: dict[str, object]) -> Recount:
    return _recount_of(msgspec.json.encode({"dimensions": ("variant",), **given}).decode())


def _formula(metric: Metric) -> tuple[object, ...]:
    return (
        repr(metric.numerator), repr(metric.denominator), metric.windows, metric.gauge_complete,
    )  # fmt: skip


@pytest.mark.parametrize("changed", CHANGES, ids=lambda one: f"{one.name}={one.value}"[:50])
def test_plan_names_every_metric_that_a_setting_changes(changed: Changed) -> None:
    beside = dict(changed.beside)
    before, after = _recount(beside), _recount(beside | {changed.name: changed.value})
    found = changes(before.fingerprints, after.fingerprints)
    both = before.metrics.keys() & after.metrics.keys()
    moved = before.moved(after)
    counted = {
        name
        for name in both
        if _reads(before.metrics[name], moved) or _reads(after.metrics[name], moved)
    }
    missed = {name: found[name] for name in counted if found[name] not in ("counting", "segments")}
    assert missed == {}
    computed = {n for n in both if _formula(before.metrics[n]) != _formula(after.metrics[n])}
    assert {name for name in computed if found[name] == "same"} == set()
    assert counted or computed or before.metrics.keys() != after.metrics.keys(), "nothing changed"


def test_every_setting_that_defines_numbers_is_changed() -> None:
    tables = defining_tables()
    known = {key for key, _ in leaves(Settings) if key.partition(".")[0] in tables}
    known -= {key for key in known if key.startswith(NOT_RUN)}
    assert known - set(WITHOUT) == {one.name for one in CHANGES}
