"""`engage plan` lists the metrics that a configuration keeps, recounts or drops, and those it cannot compare."""

import json

import msgspec

from agents.commands.plan import as_json, as_text
from stream.configure.fingerprints import changes, fingerprints
from stream.settings.application import Settings

BEFORE = fingerprints(Settings())
AFTER = fingerprints(msgspec.convert({"churn": {"denominator": "average"}}, Settings))
TOTAL = len(BEFORE)


def test_only_changed_metrics_have_a_row() -> None:
    text = as_text(changes(BEFORE, AFTER), BEFORE)
    rows = {words[0] for line in text.splitlines() if "counting" in (words := line.split())}
    assert rows == {"churn_rate", "customer_lifetime_value_recurring", "clv_to_cac"}
    assert text.endswith(f"{TOTAL - 3} of {TOTAL} metrics are kept as they are")


def test_a_metric_counted_since_later_has_a_row() -> None:
    since_ms = 1_760_000_000_000
    stored = BEFORE | {"sessions": msgspec.structs.replace(BEFORE["sessions"], since_ms=since_ms)}
    text = as_text(changes(stored, BEFORE), stored)
    assert "sessions" in text and "2025-10-09T08:53:20+00:00" in text
    assert text.endswith(f"{TOTAL} of {TOTAL} metrics are kept as they are")


def test_an_empty_store_is_reported() -> None:
    assert as_text(changes({}, BEFORE), {}).startswith("nothing is stored yet")


def test_metrics_stored_by_an_earlier_version_are_neither_kept_nor_changed() -> None:
    stored = {name: msgspec.structs.replace(one, format=1) for name, one in BEFORE.items()}
    del stored["sessions"]
    found = changes(stored, BEFORE)
    text = as_text(found, stored)
    assert f"0 of {TOTAL} metrics are kept" in text
    assert f"{TOTAL - 1} of {TOTAL} metrics were stored by another version" in text
    assert "Start a worker of this version" in text
    assert "bounce_rate" not in text and "sessions" in text
    rows = {row["metric"]: row for row in json.loads(as_json(found, stored))}
    assert rows["bounce_rate"] == {
        "metric": "bounce_rate", "change": "unknown", "counted_since": "the beginning",
    }  # fmt: skip
    assert rows["sessions"]["change"] == "new"
