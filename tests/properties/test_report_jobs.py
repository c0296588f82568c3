"""A report in several processes gives the records, the accounting and the messages of one in one process."""

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.outputs import WindowKind, encode_record
from stream.report import sorting
from stream.report.bounded import BadLine
from stream.report.cohorts import Cohort
from stream.report.file_report import Report
from stream.report.jobs import parts, whole
from stream.report.periods import DayRange
from stream.settings.application import Settings
from stream.settings.audience import RetentionSettings
from stream.settings.definitions import Selection
from stream.settings.intake import IdSettings
from tests.properties.inputs.varied_log import varied_log

NOW_MS = 1_810_000_000_000
KINDS: tuple[WindowKind, ...] = ("all", "week", "month", "trailing_7d")
DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small parts, and runs of some hundred events."""
    monkeypatch.setattr(parts, "PART_BYTES", 2_000)
    monkeypatch.setattr(sorting, "CHUNK_BYTES", 60_000)


def mixed(seed: int, copies: int = 2) -> list[dict[str, Any]]:
    """Return events of every type, of several copies of the people of a varied log on two sites."""
    rng, events = random.Random(seed), list[dict[str, Any]]()
    for copy in range(copies):
        for record in varied_log(seed * 100 + copy):
            event = json.loads(record.value)
            event["event_id"] += f"-{copy}"
            for name in ("visitor_id", "user_id", "session_id", "cart_id"):
                if name in event:
                    event[name] += f"-{copy}"
            if copy % 2:
                event["site"] = "shop"
            if rng.random() < 0.1 and "page_url" in event:
                event["page_url"] = f"https://a.example/n{rng.randrange(12)}"
            events.append(event)
    # Somebody whose ids form a chain over many visitors.
    for number in range(40):
        events.append(
            {"type": "page_view", "event_id": f"chain{number}", "page_url": f"/c{number % 9}",
             "event_time": events[0]["event_time"] + number * 400_000, "session_id": f"s{number // 4}",
             "visitor_id": f"cv{number // 3}", "context": {"country": f"C{number % 7}"}}
            | ({"user_id": f"cu{number // 5}"} if number % 2 else {})
        )  # fmt: skip
    return events


def lines_of(events: list[dict[str, Any]], seed: int) -> list[bytes]:
    """Return the lines of events, with duplicates, blank and bad lines, and wrong clocks."""
    rng = random.Random(seed)
    lines = [json.dumps(event).encode() for event in events]
    lines += rng.sample(lines, len(lines) // 20)
    late = [event | {"event_time": event["event_time"] + 9_000} for event in rng.sample(events, 20)]
    lines += [json.dumps(event).encode() for event in late]
    wrong = {"event_time": NOW_MS - DAY_MS * 3, "event_id": "wrong", "page_url": "/wrong"}
    lines += [json.dumps(events[0] | wrong).encode(), b"", b"{", b"nonsense", b'{"type":"x"}']
    lines.append(json.dumps(events[1] | {"event_time": NOW_MS * 2}).encode())
    rng.shuffle(lines)
    return lines


class Found:
    """Everything that a report says."""

    def __init__(
        self,
        settings: Settings,
        names: list[str],
        jobs: int,
        days: DayRange | None = None,
        kinds: tuple[WindowKind, ...] | None = KINDS,
        cohorts: tuple[Cohort, ...] = ("first_time", "recurring"),
    ) -> None:
        self.bad: list[BadLine] = []
        self.shown: list[str] = []
        report = Report(
            settings, NOW_MS, self.bad.append, days, is_bounded=True, kinds=kinds, jobs=jobs
        )
        report.read_all(names, self.shown.append)
        self.damage = report.damage
        self.records = sorted(map(encode_record, report.records((), kinds)))
        self.accounting = report.accounting()
        self.has_range = report.has_range()
        self.other_sites = report.events_of_other_sites()
        self.id_changes = report.id_changes.sessions.changes, report.id_changes.carts.changes
        self.triangles = {
            cohort: list(map(encode_record, report.triangles(cohort, ["day", "month"])))
            for cohort in cohorts
        }
        if report._whole is not None:
            report._whole.end()

    def same(self) -> dict[str, Any]:
        """Return all but the progress."""
        return {name: value for name, value in vars(self).items() if name != "shown"}


def check(settings: Settings, names: list[str], *jobs: int, **options: Any) -> Found:
    """Check that these numbers of jobs find the same as one."""
    one = Found(settings, names, 1, **options)
    for number in jobs or (3,):
        many = Found(settings, names, number, **options)
        for name, value in one.same().items():
            found = getattr(many, name)
            if name == "records":
                assert sorted(set(found) ^ set(value))[:4] == []
            assert found == value, name
    return one


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., str]:
    def write(name: str, lines: list[bytes], end: bytes = b"\n") -> str:
        data = b"\n".join(lines) + end
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize("seed", range(3))
def test_any_number_of_jobs_gives_the_same(seed: int, written: Callable[..., str]) -> None:
    lines = lines_of(mixed(seed), seed)
    half = len(lines) // 2
    names = [written("a", lines[:half], b""), written("b.gz", lines[half:])]
    settings = replace(Settings(), dimensions=("country", "campaign", "plan"))
    found = check(settings, names, 2, 5)
    assert len(found.records) > 1_000
    left_out = found.accounting.left_out
    assert left_out.keys() >= {"no event", "duplicate", "future"} and found.id_changes[0] > 0
    assert any("wrong clock" in bad.detail for bad in found.bad)


@pytest.mark.parametrize("order", ["rising", "falling"])
def test_events_of_one_time_keep_the_order_of_their_file(
    order: str, written: Callable[..., str]
) -> None:
    events = sorted(mixed(4), key=lambda event: event["event_time"] // 60_000)
    for event in events:
        event["event_time"] = event["event_time"] // 60_000 * 60_000
    if order == "falling":
        events.reverse()
    check(Settings(), [written("a", [json.dumps(event).encode() for event in events])])


@pytest.mark.parametrize("first_look", [0.02, 0.5, 0.99])
def test_values_beyond_a_maximum_are_those_of_one_job(
    first_look: float, written: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "_FIRST_LOOK", first_look)
    settings = Settings(dimensions=("country", "campaign"), dimension_values_max=3)
    settings = replace(settings, pages=replace(settings.pages, values_max=4))
    found = check(settings, [written("a", lines_of(mixed(5), 5))])
    assert any(b'"page":"other"' in one for one in found.records)
    assert any(b'"country":"other"' in one for one in found.records)


@pytest.mark.parametrize(
    ("limit", "most"), [("sites_max", 1), ("segments_max", 100), ("segment_sets_max", 100)]
)
def test_caps_over_all_dimensions_are_those_of_one_job(
    limit: str, most: int, written: Callable[..., str]
) -> None:
    events = mixed(6)
    for number, event in enumerate(events):
        event["context"] = {"country": f"c{number % 90}", "channel": f"h{number % 70}"}
        event["site"] = f"s{number % 4}"
    settings = Settings(dimensions=("country", "channel"))
    limits = replace(settings.limits, **{limit: most})
    found = check(replace(settings, limits=limits), [written("a", lines_of(events, 6))])
    assert any(b'other"' in one for one in found.records)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(identity="visitor"),
        replace(Settings(), session=replace(Settings().session, id_scope="site")),
        replace(Settings(), currency="EUR"),
        replace(Settings(), dedupe=replace(Settings().dedupe, window_seconds=0)),
        replace(Settings(), ids=IdSettings(placeholders=("cv1", "u1-0"))),
        replace(
            Settings(),
            retention=RetentionSettings(start=Selection(type="page_view"), returning=Selection(type="order")),
        ),
    ],
    ids=["visitor", "sessions of sites", "currency", "no dedupe", "placeholders", "retention"],
)  # fmt: skip
def test_settings_that_say_who_is_one_person(
    settings: Settings, written: Callable[..., str]
) -> None:
    check(settings, [written("a", lines_of(mixed(7), 7))], 3)


def test_a_range_of_days_counts_each_person_once(written: Callable[..., str]) -> None:
    first = 1_760_742_000_000 // DAY_MS + 719_163
    days = DayRange(first + 2, first + 20)
    found = check(Settings(), [written("a", lines_of(mixed(8), 8))], days=days, kinds=("range",))
    assert found.records and found.has_range
    assert not check(Settings(), [written("a", [])], days=days, kinds=("range",)).has_range


def test_duplicates_in_other_parts_and_files_are_found(written: Callable[..., str]) -> None:
    lines = [json.dumps(event).encode() for event in mixed(9)]
    names = [written("a", lines), written("b", lines[::-1]), written("c.gz", lines)]
    found = check(Settings(), names)
    assert found.accounting.left_out["duplicate"] >= 2 * len(lines)


def test_one_person_and_nobody(written: Callable[..., str]) -> None:
    one = [event | {"visitor_id": "v", "user_id": "u"} for event in mixed(10, 1)]
    check(Settings(), [written("a", [json.dumps(event).encode() for event in one])])
    check(Settings(), [written("b", [])])
    check(Settings(), [written("c", [b"\xef\xbb\xbf", b"x" * 200_000, b"{}"]), written("d", [])])


def test_damaged_files_count_up_to_there(tmp_path: Path, written: Callable[..., str]) -> None:
    whole_file = Path(written("a.gz", lines_of(mixed(11), 11))).read_bytes()
    (tmp_path / "cut.gz").write_bytes(whole_file[: len(whole_file) // 2])
    array = json.dumps(mixed(12, 1)).encode()
    (tmp_path / "array").write_bytes(array[: len(array) // 2])
    (tmp_path / "table").write_text(
        "event_id,event_time,type,visitor_id\n1,2024-02-03,page_view,v\n2"
    )
    names = [str(tmp_path / name) for name in ("cut.gz", "array", "table")]
    found = check(Settings(), names)
    assert len(found.damage) == 2 and found.accounting.counted > 100
