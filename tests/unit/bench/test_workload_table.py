"""Table of the workloads: ratios of pairs of runs, beside their limits."""

from tests.bench.race import Outcome, Run
from tests.bench.workloads.catalogue import WORKLOADS
from tests.bench.workloads.table import Result, document, missed, table

EVENTS = 1_000_000


def run(micros: float, *, rate: float = 100_000, peak: float = 100, redis: float = 100) -> Run:
    """Return a run with this CPU time an event."""
    return Run(EVENTS, micros, EVENTS / rate, peak, redis, EVENTS)


def result(name: str, raw: list[Outcome], ours: list[Outcome]) -> Result:
    return Result(WORKLOADS[name], EVENTS, {"raw": raw, "worker": ours})


def test_a_ratio_is_the_median_of_pairs_of_runs() -> None:
    # The machine was slow in the second round: only a ratio of the same round tells the truth.
    one = result("views", [run(2), run(10), run(2)], [run(4), run(20), run(5)])
    assert one.ours.ratio == 2
    assert (one.ours.ratio_low, one.ours.ratio_high) == (2, 2.5)
    assert (one.raw.cpu_micros, one.ours.cpu_micros) == (2, 5)


def test_a_row_shows_the_figures_beside_before_and_limit() -> None:
    text = table([result("views", [run(2)], [run(4, redis=120.4)])])
    heading, row = text.splitlines()
    assert "before" in heading
    assert "at most" in heading
    assert row.split() == [
        "views", "4.00", "2.00", "2.00", "2.00-2.00", "3.2", "2.5", "100,000", "100", "120",
    ]  # fmt: skip


def test_nothing_is_missed_at_the_limits() -> None:
    views = result("views", [run(2)], [run(5, rate=80_000, redis=150)])
    cold = result("cold", [run(2)], [run(16, peak=500, redis=150)])
    order = result("order", [run(2)], [run(20)])
    assert list(missed([views, cold, order])) == []


def test_each_missed_limit_is_named() -> None:
    views = result("views", [run(2)], [run(6, rate=79_000, redis=151)])
    cold = result("cold", [run(2)], [run(16, peak=501)])
    assert list(missed([views, cold])) == [
        "missed: views has 3 x raw, at most 2.5",
        "missed: views has 151 Redis B/person, at most 150",
        "missed: views has 79,000 events/s, at least 80,000",
        "missed: cold has 501 peak MB, at most 500",
    ]


def test_events_without_a_person_have_no_bytes_a_person() -> None:
    one = result("social_reach", [run(2)], [run(4, redis=0)])
    assert one.redis_bytes is None
    assert table([one]).splitlines()[1].split()[-1] == "-"


def test_a_run_that_refused_events_has_no_ratio() -> None:
    wrong = Run(EVENTS, 2.0, 10.0, 100, 100, EVENTS - 1)
    text = table([result("views", [run(2)], [wrong])])
    assert "views: wrong: only 999,999 events counted" in text.splitlines()


def test_a_failed_contender_is_named_with_its_reason() -> None:
    text = table([result("views", [run(2)], ["failed: no memory"])])
    assert "views: failed: no memory" in text.splitlines()


def test_the_document_holds_every_run() -> None:
    written = document([result("views", [run(2), run(3)], [run(4), run(5)])])
    views = written["workloads"]["views"]
    assert [one["cpu_seconds"] for one in views["runs"]["worker"]] == [4, 5]
    assert views["ratio_max"] == 2.5


def test_the_limits_of_the_workloads() -> None:
    most = {name: one.ratio_max for name, one in WORKLOADS.items()}
    assert [most[name] for name in ("views", "visits", "mixed", "cold")] == [2.5, 3.5, 4.5, 8]
    assert most["history"] is None
    assert {most[name] for name in WORKLOADS if len(WORKLOADS[name].types) == 1} >= {10}
