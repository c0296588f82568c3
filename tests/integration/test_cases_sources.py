"""Published samples of other products, through `engage map`, `detect` and `report`."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agents.cli.main import main
from schemas.mapping.preset import preset_named, presets
from tests.integration.test_cases_report import CASES

SOURCES = CASES / "sources"
pytestmark = pytest.mark.skipif(
    not SOURCES.is_dir(), reason=f"no samples at {SOURCES}; name their directory in ENGAGE_CASES"
)
#: Sources of a user, for samples whose preset has no rules, or that have no preset.
ENGAGE_TOML = """
[sources.subscriptions]
preset = "debezium"
[sources.subscriptions.every]
user_id = ["after.user_id", "before.user_id"]
subscription_id = ["after.id", "before.id"]
[[sources.subscriptions.event]]
when = { op = "r" }
ignore = "a row of the snapshot"
[[sources.subscriptions.event]]
when = { op = "c", "after.status" = ["active", "trialing"] }
type = "subscription_started"
mrr = { from = "after.monthly_price", as = "decimal", scale = 2 }
plan = "after.plan"
trial = { from = "after.status", map = { trialing = true }, else = false }
[[sources.subscriptions.event]]
when = { op = "u", "before.status" = { exists = false } }
reject = "the row before the update lacks `status`: ALTER TABLE subscriptions REPLICA IDENTITY FULL"
[[sources.subscriptions.event]]
when = { op = "u", "after.status" = "cancelled", "before.status" = { not = "cancelled" } }
type = "subscription_cancelled"
effective_at = { from = "after.current_period_end", as = "microseconds" }
[[sources.subscriptions.event]]
when = { op = "u", "after.monthly_price" = { differs_from = "before.monthly_price" } }
type = "subscription_changed"
mrr = { from = "after.monthly_price", as = "decimal", scale = 2 }
[[sources.subscriptions.event]]
when = { op = "d" }
type = "subscription_ended"

[sources.flattened]
preset = "debezium"
[sources.flattened.every]
user_id = "user_id"
subscription_id = "id"
[[sources.flattened.event]]
when = { __deleted = "true" }
type = "subscription_ended"
[[sources.flattened.event]]
when = { status = "cancelled" }
type = "subscription_cancelled"

[sources.seen]
preset = "cloudevents"
[sources.seen.every]
visitor_id = "data.visitor"
user_id = "data.user"
[[sources.seen.event]]
when = { type = "com.example.page.viewed" }
type = "page_view"
page_url = "data.page"

[sources.by_headers]
format = "json"
[sources.by_headers.every]
event_id = { id = ["$headers.ce_source", "$headers.ce_id"] }
event_time = ["$headers.ce_time", "$timestamp"]
visitor_id = "visitor"
user_id = "user"
[[sources.by_headers.event]]
when = { "$headers.ce_type" = "com.example.page.viewed" }
type = "page_view"
page_url = "page"

[sources.framed]
format = "json_schema"
[sources.framed.every]
event_id = "messageId"
event_time = ["timestamp", "$timestamp"]
visitor_id = "anonymousId"
user_id = "userId"
[[sources.framed.event]]
type = "page_view"
page_url = ["properties.url", "context.page.url"]

[sources.connect]
format = "kafka_connect"
[sources.connect.every]
event_id = { id = ["$topic", "$partition", "$offset"] }
event_time = { from = "create_ts", as = "milliseconds" }
user_id = "c1"
[[sources.connect.event]]
type = "custom"
name = "c2"

[sources.clicks]
[sources.clicks.every]
event_id = { id = ["$topic", "$partition", "$offset"] }
event_time = "$timestamp"
user_id = "userid"
context = { user_agent = "agent" }
[[sources.clicks.event]]
type = "page_view"
page_url = { from = "request", as = "request_path" }
"""
#: Sample → option that names its mapping.
OPTIONS = {
    "debezium_subscriptions.jsonl": ("--source", "subscriptions"),
    "cloudevents_structured.json": ("--source", "seen"),
    "cloudevents_binary.json": ("--source", "seen"),
}
#: What differs from the answers, and why.
DEVIATIONS = {
    # The vendor's fixture says 1000.1 s after 1970: no event of ours is before 1990.
    ("mixpanel.jsonl", 1): "absurd_time",
}
_DIGEST = re.compile(r"[0-9a-f]{32}")


def answers() -> list[dict[str, Any]]:
    if not SOURCES.is_dir():
        return []
    found: list[dict[str, Any]] = json.loads((SOURCES / "expected.json").read_text("utf-8"))
    return [one for one in found if "lines" in one and not one["sample"].endswith("avro.bin")]


@pytest.fixture(autouse=True)
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("engage.toml").write_text(ENGAGE_TOML, "utf-8")


def engage(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def mapped(*arguments: str) -> tuple[list[dict[str, Any]], int]:
    result = engage("map", "--format", "json", *arguments)
    return [json.loads(line) for line in result.stdout.splitlines()], result.exit_code


def without_digests(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with a word for ids that each mapping makes in its own way."""
    return {
        name: "digest" if isinstance(value, str) and _DIGEST.fullmatch(value) else value
        for name, value in event.items()
    }


@pytest.mark.parametrize("answer", answers(), ids=lambda one: one["sample"])
def test_a_sample_becomes_what_is_expected(answer: dict[str, Any]) -> None:
    sample = answer["sample"]
    option = OPTIONS.get(sample, ("--preset", answer["preset"]))
    lines, code = mapped(*option, str(SOURCES / sample))
    assert [line["line"] for line in lines] == [wanted["line"] for wanted in answer["lines"]]
    for line, wanted in zip(lines, answer["lines"], strict=True):
        deviation = DEVIATIONS.get((sample, line["line"]))
        if deviation:
            assert line["refused"]["reason"] == deviation
        elif "refused" in wanted:
            assert wanted["refused"].partition(", ")[2] in line["refused"]["detail"]
        elif wanted["becomes"]:
            found = [without_digests(event) for event in line["becomes"]]
            assert found == [without_digests(event) for event in wanted["becomes"]]
        else:
            assert line["ignored"]
    assert code == (1 if any("refused" in line for line in lines) else 0)


def test_both_ways_to_name_the_attributes_of_a_cloudevent_agree() -> None:
    sample = str(SOURCES / "cloudevents_binary.json")
    [by_preset], _ = mapped("--source", "seen", sample)
    [by_headers], _ = mapped("--source", "by_headers", sample)
    assert by_preset == by_headers


@pytest.mark.parametrize(
    ("sample", "option", "kinds"),
    [
        ("snowplow_collector_tp2.json", ("--preset", "snowplow"), [["custom"]]),
        ("zendesk_eventbridge.json", ("--preset", "zendesk"), [[]]),
        ("debezium_flattened.jsonl", ("--source", "flattened"), [["subscription_cancelled"], None]),
        ("confluent_json_schema.bin", ("--source", "framed"), [["page_view"]]),
        ("kafka_connect_schema_payload.json", ("--source", "connect"), [["custom"]]),
        ("datagen_clickstream.json", ("--source", "clicks"), [["page_view"]]),
    ],
)
def test_a_sample_without_an_answer(
    sample: str, option: tuple[str, str], kinds: list[list[str] | None]
) -> None:
    """The second flattened row says no time: without add.fields there is none in the record."""
    lines, _ = mapped(*option, str(SOURCES / sample))
    for line, wanted in zip(lines, kinds, strict=True):
        if wanted is not None:
            assert [event["type"] for event in line.get("becomes", [])] == wanted


@pytest.mark.parametrize("answer", answers(), ids=lambda one: one["sample"])
def test_the_preset_of_a_sample_is_detected(answer: dict[str, Any]) -> None:
    found = json.loads(engage("detect", "--format", "json", str(SOURCES / answer["sample"])).stdout)
    name = answer["preset"].removesuffix("_subscriptions")
    preset = preset_named(name)
    assert preset is not None
    assert [one["preset"] for one in found["candidates"]] == [preset.name]


@pytest.mark.parametrize("answer", answers(), ids=lambda one: one["sample"])
@pytest.mark.parametrize("name", [name for name, one in presets().items() if one.written.rules])
def test_no_preset_takes_the_sample_of_another(answer: dict[str, Any], name: str) -> None:
    own = preset_named(answer["preset"])
    if own is None or own.name != name:
        lines, _ = mapped("--preset", name, str(SOURCES / answer["sample"]))
        assert not [line for line in lines if line.get("becomes")]


def test_a_report_counts_foreign_files(tmp_path: Path) -> None:
    sample = SOURCES / "segment_ecommerce.jsonl"
    result = engage(
        "report", "--preset", "segment", "--metric", "orders", "--format", "json", str(sample)
    )
    assert result.exit_code == 0, result.stderr
    assert "3 records read by the mapping segment: 3 events, 0 ignored, 0 refused" in result.stderr
    [record, *_] = [json.loads(line) for line in result.stdout.splitlines()]
    assert (record["metric"], record["value"]) == ("orders", 1)


def test_key_and_headers_beside_a_sample_come_with_it(tmp_path: Path) -> None:
    """Without its headers, a CloudEvent of binary mode has no type."""
    copy = tmp_path / "binary.json"
    shutil.copyfile(SOURCES / "cloudevents_binary.json", copy)
    [line], _ = mapped("--source", "seen", str(copy))
    assert "ignored" in line
    shutil.copyfile(
        SOURCES / "cloudevents_binary.json.kafka.json", tmp_path / "binary.json.kafka.json"
    )
    [line], _ = mapped("--source", "seen", str(copy))
    assert line["becomes"]
