"""The meter of a contender: counts all events, leaves out waits, and adds figures to its result."""

import json
from pathlib import Path

import pytest

from tests.bench.job import Job, Meter, Unavailable


def test_the_result_is_written_when_all_events_are_counted(tmp_path: Path) -> None:
    meter = Meter(expected=3, result=tmp_path / "result.json")
    assert not meter.add(2)
    assert not meter.result.exists()
    assert meter.add()
    meter.note("applied", 3)
    written = json.loads(meter.result.read_text())
    assert (written["events"], written["applied"]) == (3, 3)


def test_a_wait_is_no_part_of_the_wall_time(tmp_path: Path) -> None:
    meter = Meter(expected=1, result=tmp_path / "result.json")
    meter.start()
    meter.leave_out(1_000)
    meter.add()
    assert json.loads(meter.result.read_text())["wall_seconds"] < 0


def test_a_wrong_count_has_no_cost(tmp_path: Path) -> None:
    meter = Meter(expected=2, result=tmp_path / "result.json")
    meter.add()
    with pytest.raises(Unavailable, match="counted 1 of 2 events"):
        meter.check()


def test_a_contender_of_one_topic_is_given_one(tmp_path: Path) -> None:
    meter = Meter(expected=1, result=tmp_path / "result.json")
    job = Job("127.0.0.1:1", {"clicks": "bench-clicks"}, 1, "run", tmp_path, meter)
    assert job.topic == "bench-clicks"
