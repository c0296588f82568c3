"""Replay sends each event to the topic of its type, keyed by its person, at the requested speed."""

import gzip
import io
import json
from pathlib import Path

import pytest

from agents.commands import replay
from agents.commands.replay import Pace, Router, lines_to_send, run_replay
from agents.doctor.late_events import LateEvents, Newest
from schemas.events import EVENT_TYPES
from stream.configure.load import load_settings
from stream.settings.application import Settings
from stream.settings.intake import INPUT_ROLES

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples" / "valid"


def view(**fields: object) -> bytes:
    event = {"type": "page_view", "event_id": "1", "event_time": 1_700_000_000_000, "page_url": "/"}
    return json.dumps(event | fields).encode()


class Recorder:
    """Stand-in for the Kafka producer."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes | None, bytes]] = []
        self.failed, self.last_error = 0, ""

    @property
    def confirmed(self) -> int:
        return len(self.records)

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        self.records.append((topic, key, value))

    def flush(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()
    monkeypatch.setattr(replay, "Sender", lambda _: made)
    monkeypatch.setattr(replay, "read_newest", lambda _: Newest({}, {}))
    return made


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_type_goes_to_its_topic(example: Path) -> None:
    raw = example.read_bytes()
    topic = EVENT_TYPES[json.loads(raw)["type"]].topic
    assert Router(Settings()).route(raw).topic == topic


def test_every_type_has_a_topic() -> None:
    assert {kind.role for kind in EVENT_TYPES.values()} == set(INPUT_ROLES)


def test_events_of_a_disabled_topic_go_to_the_first_one() -> None:
    settings = load_settings(None, {"ENGAGE_TOPICS_PAGE_VIEWS": "", "ENGAGE_TOPICS_CLICKS": "all"})
    assert Router(settings).route(view(user_id="u")).topic == "all"
    assert Router(Settings(), topic_by_type=False).route(view(user_id="u")).topic == "page-views"


@pytest.mark.parametrize(
    ("identity", "fields", "key"),
    [
        ("user", {"user_id": "u", "visitor_id": "v"}, b"u"),
        ("user", {"visitor_id": "v"}, b"v"),
        ("visitor", {"user_id": "u", "visitor_id": "v"}, b"v"),
        ("visitor", {"user_id": "ü"}, "ü".encode()),
        ("user", {"user_id": "undefined", "visitor_id": "v"}, b"v"),
        ("visitor", {"user_id": "u", "visitor_id": " NULL "}, b"u"),
        ("user", {"user_id": "guest"}, b"default"),
    ],
)
def test_the_key_is_the_person(identity: str, fields: dict[str, str], key: bytes) -> None:
    settings = load_settings(None, {"ENGAGE_IDENTITY": identity})
    assert Router(settings).route(view(**fields)).key == key


def test_events_without_a_person_are_keyed_by_their_site() -> None:
    raw = view(type="marketing_spend", channel="x", amount=1, site="s")
    assert Router(Settings()).route(raw).key == b"s"


def test_pace_follows_event_time_at_the_given_speed() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(60, clock=lambda: now[0], sleep=sleep)
    for event_time_ms in (1_000_000, 1_060_000, None, 1_030_000, 1_180_000):
        pace.wait_for(event_time_ms)
    assert slept == [pytest.approx(1.0), pytest.approx(2.0)]


def test_pace_without_speed_never_waits() -> None:
    pace = Pace(None, sleep=lambda _: pytest.fail("slept"))
    pace.wait_for(0)
    pace.wait_for(10**12)


def test_plain_and_compressed_files_and_standard_input_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"1\n\n  2 \r\n")
    with gzip.open(tmp_path / "b.gz", "wb") as file:
        file.write(b"3\n4")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"5\n")))
    files = [str(tmp_path / "a.jsonl"), str(tmp_path / "b.gz"), "-"]
    assert list(lines_to_send(files)) == [b"1", b"2", b"3", b"4", b"5"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"x\n" * 5000)[:-10])
    with pytest.raises(OSError, match=r"a\.gz is damaged or cut short after line \d"):
        list(lines_to_send([str(path)]))


@pytest.mark.parametrize(("skip_bad", "count"), [(False, 3), (True, 2)])
def test_lines_that_are_not_events_are_sent_unless_skipped(
    tmp_path: Path, recorder: Recorder, skip_bad: bool, count: int
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(view(user_id="a") + b"\nnonsense\n" + view(user_id="b") + b"\n")
    errors = io.StringIO()
    assert run_replay(Settings(), [str(path)], skip_bad=skip_bad, errors=errors) == 0
    assert len(recorder.records) == count
    assert f"{count} records confirmed" in errors.getvalue()
    assert "1 lines were not events" in errors.getvalue()
    if not skip_bad:
        assert recorder.records[1] == ("page-views", None, b"nonsense")


def test_refused_records_end_in_exit_code_one(tmp_path: Path, recorder: Recorder) -> None:
    recorder.failed, recorder.last_error = 2, "MessageSizeTooLargeError: too large"
    path = tmp_path / "a.jsonl"
    path.write_bytes(view(user_id="a"))
    errors = io.StringIO()
    assert run_replay(Settings(), [str(path)], errors=errors) == 1
    assert "2 records were refused: MessageSizeTooLargeError" in errors.getvalue()


def test_late_events_are_foreseen_by_the_newest_of_their_partition() -> None:
    settings = load_settings(None, {})
    topic = settings.topics.page_views
    day_ms, now_ms = 86_400_000, 1_700_000_000_000
    late = LateEvents(settings, Newest({(topic, 0): now_ms}, {topic: 1}))
    assert late.note(topic, b"u", now_ms - day_ms // 2) == ""
    assert late.note(topic, None, 0) == ""
    assert late.note("elsewhere", b"u", 0) == ""
    assert "`engage report`" in late.note(topic, b"u", now_ms - 3 * day_ms)
    assert late.note(topic, b"u", now_ms - 3 * day_ms) == ""
    assert late.note(topic, b"u", now_ms + 9 * day_ms) == ""
    assert late.note(topic, b"u", now_ms) == ""
    assert late.count == 3
    assert late.summary().startswith("3 of them are late")
