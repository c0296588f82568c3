"""The inputs of a report as one whole, against a plain sort of everything in memory."""

import json
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from schemas.outputs import WindowKind, record_key
from stream.report import bounded, duplicates, packed_people, sorting
from stream.report.bounded import BadLine, BoundedInput
from stream.report.file_report import Report
from stream.report.spill import Spill, SpillError
from stream.settings.application import Settings

NOW_MS = 1_767_225_600_000
MINUTE_MS, DAY_MS = 60_000, 86_400_000
KINDS: tuple[WindowKind, ...] = ("all", "day", "week", "trailing_7d")


@pytest.fixture(params=["in memory", "in the spill"])
def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "in the spill":
        monkeypatch.setattr(sorting, "CHUNK_BYTES", 5_000)
        monkeypatch.setattr(duplicates, "MEMORY_BYTES", 2_000)
        monkeypatch.setattr(bounded, "ITEMS_AT_ONCE", 7)


def view(number: int, time_ms: int, site: str = "s", **more: Any) -> dict[str, Any]:
    event = {"type": "page_view", "event_id": f"e{number:06}", "event_time": time_ms, "site": site}
    return event | {"visitor_id": f"v{number % 10}"} | more


def written(path: Path, events: list[dict[str, Any]]) -> str:
    path.write_bytes(b"".join(json.dumps(event).encode() + b"\n" for event in events))
    return str(path)


class Read:
    """Result of reading a bounded input."""

    def __init__(self, *names: str, settings: Settings | None = None) -> None:
        self.bad: list[BadLine] = []
        with closing(Spill()) as spill:
            whole = BoundedInput(
                settings or Settings(), NOW_MS, spill, self.bad.append, lambda text: None
            )
            self.damage = whole.survey(names)
            events = [timed for batch in whole.events() for timed in batch]
            self.bytes_spilled = spill._end
        self.ids = [event.event_id for event, _ in events]
        self.times = [time_ms for _, time_ms in events]
        self.rejected = dict(whole.rejected)


def of_two_months(count: int) -> list[dict[str, Any]]:
    choose = random.Random(count)
    return [
        view(number, NOW_MS - 60 * DAY_MS + choose.randrange(50 * DAY_MS))
        for number in range(count)
    ]


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("order", ["rising", "falling", "mixed", "rising and one late"])
def test_events_come_by_time_whatever_their_order(tmp_path: Path, order: str) -> None:
    events = sorted(of_two_months(1_000), key=lambda event: event["event_time"])
    wanted = [event["event_id"] for event in events]
    if order == "falling":
        events.reverse()
    if order == "mixed":
        random.Random(1).shuffle(events)
    if order == "rising and one late":
        events.append(events.pop(0))
    half = len(events) // 2
    names = written(tmp_path / "a", events[:half]), written(tmp_path / "b", events[half:])
    found = Read(*names)
    assert found.ids == wanted
    assert (found.bad, found.damage, found.rejected) == ([], [], {})
    # Of files in order only the ids may need room: their events are read again.
    if order == "rising":
        assert found.bytes_spilled < 1_000 * 33


@pytest.mark.usefixtures("limits")
def test_of_equal_ids_of_a_site_the_oldest_event_counts(tmp_path: Path) -> None:
    events = of_two_months(500)
    later = [event | {"event_time": event["event_time"] + MINUTE_MS} for event in events[:200]]
    other_site = [event | {"site": "t"} for event in events[:50]]
    mixed = [*later, *events, *other_site, *events]
    random.Random(2).shuffle(mixed)
    found = Read(written(tmp_path / "a", mixed))
    assert sorted(found.ids) == sorted(e["event_id"] for e in [*events, *other_site])
    known = {event["event_id"]: event["event_time"] for event in events}
    assert [known[one] for one in found.ids] == found.times == sorted(found.times)
    assert found.rejected == {"duplicate": 700}


def test_without_dedupe_duplicates_count(tmp_path: Path) -> None:
    from msgspec.structs import replace

    settings = Settings()
    settings = replace(settings, dedupe=replace(settings.dedupe, window_seconds=0))
    found = Read(written(tmp_path / "a", [view(1, NOW_MS)] * 3), settings=settings)
    assert len(found.ids) == 3


def test_an_event_that_is_refused_is_not_the_first_of_its_id(tmp_path: Path) -> None:
    from msgspec.structs import replace

    order = {
        "type": "order", "event_id": "o", "event_time": NOW_MS - 5, "user_id": "u", "order_id": "1",
        "revenue": 1,
    }  # fmt: skip
    events = [order | {"currency": "EUR"}, order | {"event_time": NOW_MS}]
    found = Read(written(tmp_path / "a", events), settings=replace(Settings(), currency="USD"))
    # The other currency is left to the engine, which names it.
    assert found.times == [NOW_MS - 5, NOW_MS] and found.rejected == {}


@pytest.mark.usefixtures("limits")
def test_bad_lines_are_named_by_their_place_in_their_file(tmp_path: Path) -> None:
    good = json.dumps(view(1, NOW_MS)).encode()
    (tmp_path / "a").write_bytes(b"\n{\n" + good + b"\n")
    (tmp_path / "b").write_bytes(b"nonsense\n\n" + json.dumps(view(2, NOW_MS * 2)).encode())
    found = Read(str(tmp_path / "a"), str(tmp_path / "b"))
    places = [(Path(bad.file).name, bad.number, bad.reason) for bad in found.bad]
    assert places == [("a", 2, "malformed"), ("b", 1, "malformed"), ("b", 3, "future")]
    assert found.ids == ["e000001"]


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("order", ["rising", "falling", "shuffled"])
def test_events_of_one_time_keep_the_order_that_their_input_tells(
    tmp_path: Path, order: str
) -> None:
    times = [NOW_MS - DAY_MS + place // 50 for place in range(300)]
    events = [view(number, time_ms) for number, time_ms in enumerate(times)]
    wanted = [event["event_id"] for event in events]
    if order == "rising":  # As they came, even against their ids.
        events.reverse()
        events.sort(key=lambda event: event["event_time"])
        wanted = [event["event_id"] for event in events]
    elif order == "falling":
        events.reverse()
    else:
        random.Random(3).shuffle(events)
    assert Read(written(tmp_path / "a", events)).ids == wanted


@pytest.mark.usefixtures("limits")
def test_a_wrong_clock_is_known_by_the_gap_before_it_and_its_share(tmp_path: Path) -> None:
    events = of_two_months(30)
    wrong = [view(100, NOW_MS + 1), view(101, NOW_MS)]
    old = [event | {"event_time": event["event_time"] - 400 * DAY_MS} for event in events]
    found = Read(written(tmp_path / "a", [*wrong, *old]))
    assert found.rejected == {"future": 2} and len(found.ids) == 30
    # Not one of many, not after a short gap, not of another site.
    assert Read(written(tmp_path / "b", [*wrong, *old[:18]])).rejected == {}
    assert Read(written(tmp_path / "c", [*wrong, *events])).rejected == {}
    elsewhere = [event | {"site": "t"} for event in wrong]
    assert Read(written(tmp_path / "d", [*elsewhere, *old])).rejected == {}
    # A lone old event makes nobody's clock wrong.
    lone = view(200, NOW_MS - 4_000 * DAY_MS)
    assert Read(written(tmp_path / "e", [lone, *events])).rejected == {}


def test_a_full_disk_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(sorting, "CHUNK_BYTES", 20_000)
    name = written(tmp_path / "a", of_two_months(1_000))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
    try:
        with pytest.raises(
            SpillError, match=r"cannot sort the input: .* set TMPDIR to a directory"
        ):
            Read(name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_people_that_leave_the_memory_change_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = written(tmp_path / "a", list(_visits(3_000)))
    wanted = _records(name)
    monkeypatch.setattr("stream.report.file_report.PEOPLE_IN_MEMORY", 20)
    monkeypatch.setattr(packed_people, "_EVENTS_MAX", 100)
    monkeypatch.setattr(bounded, "EVENTS_AT_ONCE", 50)
    assert _records(name) == wanted


def _visits(count: int) -> Iterator[dict[str, Any]]:
    """Yield the events of people who come back after minutes, days and months."""
    choose = random.Random(4)
    time_ms = NOW_MS - 200 * DAY_MS
    for number in range(count):
        time_ms += choose.choice([1_000, MINUTE_MS, 3 * MINUTE_MS, 3_600_000])
        who = {"visitor_id": f"v{choose.randrange(60)}", "page_url": f"/{choose.randrange(5)}"}
        if choose.random() < 0.3:
            who["session_id"] = f"{who['visitor_id']}-{choose.randrange(40)}"
        yield view(number, time_ms, **who)
        if choose.random() < 0.1:
            yield {
                "type": "order", "event_id": f"o{number}", "event_time": time_ms, "site": "s",
                "user_id": who["visitor_id"], "order_id": f"{number}", "revenue": 9,
            }  # fmt: skip


def _records(name: str) -> object:
    report = Report(
        Settings(), NOW_MS, lambda bad: pytest.fail(str(bad)), is_bounded=True, kinds=KINDS
    )
    report.read_all([name], lambda text: None)
    triangles = list(report.triangles("first_time", ("day", "week")))
    return triangles, {record_key(record): record for record in report.records((), KINDS)}
