"""`engage map`, `engage detect` and `engage report --preset`, on invented files."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agents.cli.main import main
from tests.unit.schemas.mapping.invented import INVENTED

BROKEN = {"type": "page", "messageId": "m-9", "anonymousId": "a", "timestamp": "soon"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def engage(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=text)


def lines_of(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def calls(*more: Any) -> str:
    return lines_of(*(one.value for one in INVENTED["segment"]), *more)


def kcat(value: Any, offset: int, **beside: Any) -> dict[str, Any]:
    payload = None if value is None else json.dumps(value)
    return {
        "topic": "web", "partition": 3, "offset": offset, "tstype": "create", "ts": 1_741_943_066_535,
        "broker": 1, "key": "k", "payload": payload, **beside,
    }  # fmt: skip


def test_map_prints_a_line_a_record_and_the_unused_fields() -> None:
    result = engage("map", "--preset", "segment", "-", text=calls(BROKEN))
    lines = result.stdout.splitlines()
    assert lines[0].startswith("standard input:1  page_view  event_id=m-1 ")
    assert lines[0].endswith("by preset rule 1")
    assert lines[6] == (
        "standard input:7  ignored  preset rule 9: says who somebody is, not what they did"
    )
    assert lines[7].startswith(
        "standard input:8  REFUSED  wrong_field: mapping segment, preset rule 1"
    )
    assert lines[8] == "8 records: 6 events, 1 ignored, 1 refused"
    assert lines[9].startswith("unused  ") and "traits.plan (1)" in lines[9]
    assert result.exit_code == 1


def test_map_writes_exactly_one_object_a_record() -> None:
    result = engage(
        "map", "--preset", "segment", "--format", "json", "-", text=calls(BROKEN) + "\n"
    )
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["line"] for one in found] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [set(one) - {"line"} for one in found] == [*[{"becomes"}] * 6, {"ignored"}, {"refused"}]
    assert found[0]["becomes"][0]["event_id"] == "m-1"
    assert set(found[7]["refused"]) == {"reason", "detail"}
    assert result.exit_code == 1


def test_map_of_good_records_ends_with_0() -> None:
    assert engage("map", "--preset", "segment", "-", text=calls()).exit_code == 0
    assert engage("map", "--preset", "jitsu", "--format", "json", "-", text=calls()).exit_code == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "name one of --preset NAME and --source NAME"),
        (("--preset", "segmnt"), "'segmnt' is no preset; did you mean segment?"),
        (("--preset", "segment", "--source", "x"), "name one of"),
        (("--source", "x"), "[sources.x] is not in the configuration; there is none"),
        (("--preset", "debezium"), "the preset debezium needs rules of your table"),
    ],
)
@pytest.mark.parametrize("command", ["map", "report"])
def test_a_wrong_choice_of_mapping_is_refused(
    command: str, options: tuple[str, ...], text: str
) -> None:
    if command == "report" and not options:
        return  # a report without a mapping is one of our own events
    result = engage(command, *options, "-", text=calls())
    assert (result.exit_code, text in result.stderr) == (2, True), result.stderr


def test_a_line_of_kcat_brings_key_headers_and_time() -> None:
    requests = {"requests": ["?idsite=1&_id=00ff&ping=1&url=https://a.example/b"]}
    text = lines_of(kcat(requests, 7, headers=["h", "v"]), kcat(None, 8))
    result = engage("map", "--preset", "matomo", "--format", "json", "-", text=text)
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert first["becomes"][0]["event_time"] == 1_741_943_066_535
    assert second["refused"]["reason"] == "empty"


def test_the_topic_and_offset_of_kcat_make_the_ids_and_not_the_line() -> None:
    requests = {"requests": ["?idsite=1&_id=00ff&ping=1&url=https://a.example/b"]}

    def ids(*records: dict[str, Any]) -> list[str]:
        result = engage(
            "map", "--preset", "matomo", "--format", "json", "-", text=lines_of(*records)
        )
        return [
            event["event_id"]
            for line in result.stdout.splitlines()
            for event in json.loads(line)["becomes"]
        ]

    one, other = kcat(requests, 7), kcat(requests, 8)
    assert ids(one, other) == list(reversed(ids(other, one)))
    assert len(set(ids(one, other))) == 2


def test_a_file_beside_the_sample_brings_its_time(tmp_path: Path) -> None:
    Path("m.jsonl").write_text(
        lines_of({"requests": ["?_id=0&ping=1&url=https://a.example"]}), "utf-8"
    )
    Path("m.jsonl.kafka.json").write_text('{"timestamp": 1741943000000, "key": {"id": 7}}', "utf-8")
    result = engage("map", "--preset", "matomo", "--format", "json", "m.jsonl")
    assert json.loads(result.stdout)["becomes"][0]["event_time"] == 1_741_943_000_000
    Path("m.jsonl.kafka.json").write_text('{"time": 5}', "utf-8")
    result = engage("map", "--preset", "matomo", "m.jsonl")
    assert result.exit_code == 1 and "m.jsonl.kafka.json cannot be used" in result.stderr


def test_detect_names_the_preset_and_what_to_look_after() -> None:
    result = engage("detect", "-", text=calls(INVENTED["segment"][0].value))
    lines = result.stdout.splitlines()
    assert lines[0] == "segment  8 of 8 records: 7 events, 1 ignored, 0 refused"
    assert "  warning  8 of 8 records have no key; a topic must be keyed by the person" in lines
    assert "  warning  1 of 8 records repeat an event id: they would be duplicates" in lines
    assert lines[-1] == "next: engage map --preset segment standard input"
    assert result.exit_code == 0


def test_detect_says_when_one_user_has_many_visitors() -> None:
    page = INVENTED["segment"][0].value
    crowd = [page | {"messageId": str(n), "anonymousId": f"a-{n}"} for n in range(30)]
    result = engage("detect", "-", text=lines_of(*crowd))
    assert "1 user ids have over 20 visitors each" in result.stdout


def test_detect_finds_no_preset_for_our_own_events_or_for_others() -> None:
    own = {"type": "click", "event_id": "e", "event_time": 1741943486535, "visitor_id": "v"}
    result = engage("detect", "-", text=lines_of(own))
    assert result.stdout == "1 of 1 records are engagement-stream's own events: no preset\n"
    assert result.exit_code == 0
    result = engage("detect", "--format", "json", "-", text=lines_of(own))
    assert json.loads(result.stdout)["preset"] is None
    result = engage("detect", "-", text=lines_of({"hello": 1}))
    assert "no preset recognizes these 1 records" in result.stdout
    assert "the first one is no event: missing_field" in result.stdout
    assert result.exit_code == 1


def test_a_report_counts_what_the_mapping_gives() -> None:
    Path("a.jsonl").write_text(calls(BROKEN), "utf-8")
    metrics = ("--metric", "orders", "--metric", "revenue", "--format", "json")
    result = engage("report", "--preset", "segment", *metrics, "a.jsonl")
    assert result.exit_code == 0, result.stderr
    assert (
        "a.jsonl:8: wrong_field: mapping segment, preset rule 1 (page_view), event_time"
        in result.stderr
    )
    assert "Invalid RFC3339" in result.stderr
    assert "8 records read by the mapping segment: 6 events, 1 ignored, 1 refused" in result.stderr
    values = {
        (one["metric"], one["window"]["kind"]): one["value"]
        for one in map(json.loads, result.stdout.splitlines())
    }
    assert values["orders", "all"] == 1
    definition = json.loads(result.stdout.splitlines()[0])["definition"]
    plain = lines_of(
        {
            "type": "order",
            "event_id": "e",
            "event_time": 1741943486535,
            "visitor_id": "v",
            "order_id": "o",
        }
    )
    own = engage("report", "--metric", "orders", "--format", "json", "-", text=plain)
    assert json.loads(own.stdout.splitlines()[0])["definition"] != definition


def test_a_report_of_a_source_equals_that_of_its_events() -> None:
    Path("engage.toml").write_text('[sources.web]\npreset = "segment"\n', "utf-8")
    Path("foreign.jsonl").write_text(calls(), "utf-8")
    mapped = engage("map", "--source", "web", "--format", "json", "foreign.jsonl")
    events = [
        event
        for line in mapped.stdout.splitlines()
        for event in json.loads(line).get("becomes", [])
    ]
    Path("own.jsonl").write_text(lines_of(*events), "utf-8")
    foreign = engage("report", "--source", "web", "--format", "json", "foreign.jsonl")
    own = engage("report", "--format", "json", "own.jsonl")
    assert foreign.stdout == own.stdout and foreign.stdout


def test_a_report_without_an_event_says_where_to_look() -> None:
    result = engage("report", "--preset", "stripe", "-", text=calls())
    assert result.exit_code == 2
    assert "no record became an event by the mapping stripe" in result.stderr


def test_check_says_which_topics_need_an_intake(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("kafka_findings", "redis_findings", "state_findings", "log_findings"):
        monkeypatch.setattr(f"agents.commands.check.{name}", lambda *_: [])
    written = '[sources.web]\npreset = "segment"\n'
    Path("engage.toml").write_text(written, "utf-8")
    assert "sources" not in engage("check").stdout
    Path("engage.toml").write_text(written + 'topics = ["segment-events"]\n', "utf-8")
    result = engage("check")
    assert result.exit_code == 0
    [line] = [line for line in result.stdout.splitlines() if "sources" in line]
    assert line.startswith("ok") and "engage intake carries segment-events" in line
