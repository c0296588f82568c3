"""Every alert fires, stays quiet and recovers on the real promtool, and each of its parts is needed."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.alerting.promtool import (
    ALERT_CASES,
    CASES,
    FORTNIGHT,
    WEEKLY,
    Rule,
    alerts,
    case_file,
    cases_of,
    failures,
    part_for,
    run,
    tool,
)

#: Always fires, so that it can neither stay quiet nor recover.
WATCHDOG = "EngagementWatchdog"
#: Guards are tested without the cases of weeks.
SHORT_CASES = tuple(name for name in ALERT_CASES if name not in (WEEKLY, FORTNIGHT))
FIRST_DAYS = "sessions.yml"
SITUATIONS = ("fires", "stays quiet", "recovers")
#: Factor of a comparison, and a factor that any value would pass.
_FACTORS = {"1.25": "0", "1.5": "0", "0.75": "99", "0.7": "99", "0.5": "99"}


@pytest.mark.parametrize("name", alerts())
def test_the_cases_of_an_alert_hold(name: str, tmp_path: Path) -> None:
    alert = alerts()[name]
    assert failures(alert, part_for(alert), tmp_path) == ""


def test_recording_rules_are_right_for_any_number_of_workers() -> None:
    done = run(tool("promtool"), "test", "rules", str(CASES / "recording.yml"))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", alerts())
def test_every_alert_has_a_case_of_each_situation(name: str) -> None:
    wanted = {"fires"} if name == WATCHDOG else {*SITUATIONS}
    found = {situation for situation, _ in situations_of(name)}
    assert found == wanted
    for situation, verdicts in situations_of(name):
        moments = [fires for _, fires in sorted(verdicts)]
        if situation == "fires":
            assert moments[-1], f"{name} never fires in a case of its firing"
        elif situation == "stays quiet":
            assert moments and not any(moments), f"{name} is not quiet in a case of its quiet"
        else:
            assert moments[0] and not moments[-1], f"{name} does not recover in its case of that"


def situations_of(name: str) -> Iterator[tuple[str, list[tuple[float, bool]]]]:
    """Yield (situation, [(minute, whether the alert must fire)]) of every case of an alert."""
    for _, case in cases_of(name):
        match = re.match(rf"{name} ({'|'.join(SITUATIONS)}): \S", case["name"])
        assert match, f"{case['name']!r} does not say which of {SITUATIONS} it is"
        yield match[1], [*_verdicts(case, name)]


def _verdicts(case: dict[str, Any], name: str) -> Iterator[tuple[float, bool]]:
    for entry in case.get("alert_rule_test", ()):
        assert entry["alertname"] == name
        yield _minutes(entry["eval_time"]), bool(entry.get("exp_alerts"))
    for entry in case.get("promql_expr_test", ()):
        assert entry["expr"] == f'ALERTS{{alertname="{name}",alertstate="firing"}}'
        yield _minutes(entry["eval_time"]), bool(entry["exp_samples"])


def _minutes(duration: str) -> float:
    units = {"d": 1440, "h": 60, "m": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([dhm])", duration))


def test_every_case_belongs_to_an_alert() -> None:
    for name in ALERT_CASES:
        for case in case_file(name)["tests"]:
            assert case["name"].split(" ", 1)[0] in alerts()


def test_the_texts_of_every_alert_are_spelled_out_once() -> None:
    spelled = {
        entry["alertname"]
        for name in ALERT_CASES
        for case in case_file(name)["tests"]
        for entry in case.get("alert_rule_test", ())
        for alert in entry.get("exp_alerts", ())
        if alert.get("exp_annotations")
    }
    assert spelled == {*alerts()}


def weakened(name: str) -> Iterator[tuple[str, Rule]]:
    """Yield (removed guard, the alert without it), one guard at a time."""
    alert = alerts()[name]
    guards = alert["expr"].split("\nand\n")
    for number in range(1, len(guards)):
        rest = guards[:number] + guards[number + 1 :]
        yield f"without {guards[number]}", alert | {"expr": "\nand\n".join(rest)}
    factor = re.search(r"[<>] ([\d.]+) \*", guards[0])
    if factor:
        first = guards[0].replace(f" {factor[1]} *", f" {_FACTORS[factor[1]]} *", 1)
        yield "without its proportion", alert | {"expr": "\nand\n".join([first, *guards[1:]])}
    if "for" in alert:
        yield "at once", {key: value for key, value in alert.items() if key != "for"}


WEAKENED = [
    pytest.param(rule, id=f"{name} {what}") for name in alerts() for what, rule in weakened(name)
]


@pytest.mark.parametrize("rule", WEAKENED)
def test_an_alert_without_one_of_its_guards_fails_its_cases(rule: Rule, tmp_path: Path) -> None:
    assert "FAILED" in failures(rule, part_for(rule), tmp_path, SHORT_CASES)


@pytest.mark.parametrize(
    ("name", "guard", "instead"),
    [
        ("EngagementBounceSpike", " >= 50)", " >= 0)"),
        ("EngagementClickThroughDrop", " >= 1000)", " >= 0)"),
        ("EngagementConversionDrop", " >= 200", " >= 0"),
        ("EngagementCartAbandonmentSpike", " >= 200", " >= 0"),
        ("EngagementSegmentCartAbandonmentSpike", " >= 50)", " >= 0)"),
        ("EngagementChurnSpike", "max_over_time", "min_over_time"),
        ("EngagementActiveUsersDrop", "min_over_time", "max_over_time"),
        ("EngagementConsumerLagGrowing", "max without", "sum without"),
        ("EngagementCutsFenced", "sum without", "max without"),
        ("EngagementRebalancing", "max without", "sum without"),
        ("EngagementRedisMemory", " > 0)", " >= 0)"),
        ("EngagementLedgerShare", '{outcome!="skipped"}', ""),
        ("EngagementRecordsLost", " and (time() - process_start_time_seconds < 900)", " > 1e9"),
        ("EngagementRecordsLost", " and (time() - process_start_time_seconds < 900)", ""),
    ],
)
def test_a_recording_rule_without_its_guard_fails_the_cases(
    name: str, guard: str, instead: str, tmp_path: Path
) -> None:
    alert = alerts()[name]
    groups = copy.deepcopy(part_for(alert))
    changed = 0
    for group in groups:
        for rule in group["rules"]:
            if guard in rule["expr"] and "record" in rule:
                rule["expr"] = rule["expr"].replace(guard, instead)
                changed += 1
    assert changed, f"no recording rule holds {guard!r}"
    assert "FAILED" in failures(alert, groups, tmp_path, SHORT_CASES)


@pytest.mark.parametrize(
    ("name", "pattern", "instead"),
    [
        # The highest of the past hours, as if there were only that of the incident.
        *(
            (alert, r"quantile without \(past\) \(0.5, ", "max without (past) (")
            for alert in ("EngagementBounceSpike", "EngagementChurnSpike")
        ),
        (
            "EngagementLiveVisitorsDrop",
            r"quantile without \(past\) \(0.5, ",
            "min without (past) (",
        ),
        ("EngagementActiveUsersDrop", r"quantile without \(past\) \(0.5, ", "min without (past) ("),
        # The standard deviation, which the first minutes swell.
        (
            "EngagementBounceSpike",
            r"\(quantile_over_time\(0.84, ([^()]*)\)\s*- quantile_over_time\(0.16, [^()]*\)\) / 2",
            r"stddev_over_time(\1)",
        ),
    ],
)
def test_usual_values_that_an_outlier_moves_fail_the_cases(
    name: str, pattern: str, instead: str, tmp_path: Path
) -> None:
    files = (FIRST_DAYS,) if "stddev" in instead else (WEEKLY, FORTNIGHT)
    alert = alerts()[name]
    groups = copy.deepcopy(part_for(alert))
    changed = 0
    for group in groups:
        for rule in group["rules"]:
            rule["expr"], times = re.subn(pattern, instead, rule["expr"])
            changed += times
    assert changed, f"no recording rule holds {pattern!r}"
    assert "FAILED" in failures(alert, groups, tmp_path, files)
