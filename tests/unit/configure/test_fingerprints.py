"""Fingerprints show the effect of a change of settings; definition versions of records stay as published."""

from typing import Any

import msgspec
import pytest

from stream.configure import fingerprints as module
from stream.configure.fingerprints import (
    FORMAT,
    Fingerprint,
    carried_on,
    changes,
    definition_version,
    fingerprints,
)
from stream.configure.load import load_settings
from stream.metrics import editions
from stream.metrics.catalogue import catalogue
from stream.metrics.editions import EDITIONS
from stream.settings.application import Settings
from tests.upgrade.before import HERE, read_before

#: Settings → definition version, as commit 6131ed2 computes it.
VERSIONS: list[tuple[dict[str, Any], str]] = [
    ({}, "c434523308a3"),
    ({"dimensions": ["plan", "country"], "dimension_values_max": 20}, "34e3523f7ce3"),
    (
        {
            "timezone": "Europe/Berlin", "week_start": "sunday", "currency": "EUR",
            "sites": {"shop": {"timezone": "America/New_York"}},
            "time": {"late_policy": "drop", "hour_retention_days": 7},
            "dedupe": {"window_seconds": 60},
        },
        "13eabb2590f1",
    ),
    (
        {
            "session": {"timeout_seconds": 600, "timeout_by_platform": {"ios": 300}},
            "bounce": {"mode": "ga4", "engaged_goals": True}, "duration": {"cap_seconds": 60},
            "pages": {"count": "actions"}, "time_on_page": {"mode": "pings"},
            "scroll": {"basis": "page_view"}, "exit": {"denominator": "sessions"},
            "ctr": {"match_impression": True},
        },
        "11c7efea2290",
    ),
    (
        {
            "identity": "visitor",
            "active": {"passive_types": ["heartbeat", "click", "goal"], "month": "30d"},
            "stickiness": {"interval": "week"}, "new": {"lookback_days": 7},
            "bots": {"mode": "only"}, "exclude": {"staff": ["yes"]},
            "interaction": {"events": ["click"]}, "first_week": {"min_events": 2},
            "retention": {"days": [3, 5], "type": "bracket"}, "churn_risk": {"horizon_days": 7},
        },
        "418b5ecccbe4",
    ),
    (
        {
            "churn": {"denominator": "average", "grace_period_days": 5},
            "survey": {"window_days": 90}, "support": {"holidays": ["2025-12-25"]},
            "value": {"customers": "buyers"}, "social": {"weights": {"share": 2.0}},
            "conversion": {"count": "every"}, "experiment": {"control": "old"},
            "feature": {"window_days": 7, "map": {"search": "find"}},
            "cart": {"basis": "session"},
        },
        "39bd6add4ceb",
    ),
    (
        {
            "goals": {"searched": {"type": "custom", "where": {"name": "search"}}},
            "funnels": {"buy": {"steps": [{"type": "page_view"}, {"type": "order"}]}},
            "measures": {"looks": {"type": "page_view"}},
            "metrics": {"looks_per_day": {"numerator": "looks"}},
        },
        "d4d80f2a6965",
    ),
    (
        {
            "app": "shop", "publish": {"compare": True}, "limits": {"people_cached": 2_000},
            "log": {"level": "debug"}, "kafka": {"group": "g"},
        },
        "c434523308a3",
    ),
]  # fmt: skip


def test_records_of_6131ed2_have_other_definition_versions() -> None:
    # Some measures have an edition since: the same settings no longer give the same numbers.
    wanted = [definition_version(configured(**given)) for given, _ in VERSIONS]
    assert not set(wanted) & {version for _, version in VERSIONS}
    # The last one sets nothing that defines a number.
    assert wanted[-1] == wanted[0]
    assert len(set(wanted)) == len(wanted) - 1


def test_a_new_edition_of_a_measure_changes_its_metrics_and_the_definition_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, version = fingerprints(Settings()), definition_version(Settings())
    newer = {**EDITIONS, "page_views": 1}
    monkeypatch.setattr(editions, "EDITIONS", newer)
    monkeypatch.setattr(module, "EDITIONS", newer)
    found = changes(before, fingerprints(Settings()))
    assert {name for name, change in found.items() if change != "same"} == {"page_views"}
    assert found["page_views"] == "counting"
    assert definition_version(Settings()) != version


def test_every_edition_belongs_to_a_measure_of_a_metric() -> None:
    by_session = configured(
        new={"basis": "session"}, duration={"zero_sessions": "exclude"}, cart={"basis": "session"}
    )
    measures = {
        measure
        for settings in (Settings(), by_session)
        for metric in catalogue(settings)
        for measure in metric.measures()
    }
    for name in EDITIONS:
        assert any(one.startswith(name.removesuffix("*")) for one in measures), name


def configured(**tables: Any) -> Settings:
    return msgspec.convert(tables, Settings)


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    """Return the changes by metric."""
    stored, wanted = fingerprints(configured(**before)), fingerprints(configured(**after))
    return {name: change for name, change in changes(stored, wanted).items() if change != "same"}


ALL = set(fingerprints(Settings()))


def test_types_that_keep_a_session_from_bouncing_change_the_bounces_of_landing_pages() -> None:
    found = changed({}, {"bounce": {"interactive_events": ["goal"]}})
    assert found == {"bounce_rate": "counting", "landing_bounce_rate": "counting"}


def test_when_a_customer_leaves_changes_every_number_of_customers() -> None:
    found = changed({}, {"churn": {"effective": "request"}})
    assert found.items() >= dict.fromkeys(
        (
            "daily_activity_rate", "monthly_activity_rate", "customer_lifetime_value_recurring",
            "clv_to_cac", "customer_acquisition_cost", "active_customers", "mrr", "churn_rate",
        ),
        "counting",
    ).items()  # fmt: skip
    assert "revenue" not in found


@pytest.mark.parametrize(
    "after",
    [
        {"dedupe": {"window_seconds": 60}},
        {"dedupe": {"ids_max": 1_000}},
        {"time": {"late_policy": "drop"}},
        {"time": {"correction_window_seconds": 3_600}},
        {"currency": "EUR"},
        {"bots": {"mode": "include"}},
        {"sites": {"shop": {"timezone": "America/New_York"}}},
    ],
)
def test_a_setting_that_admits_or_rejects_events_changes_every_metric(
    after: dict[str, Any],
) -> None:
    assert changed({}, after) == dict.fromkeys(ALL, "counting")


def test_a_setting_of_one_metric_changes_no_other() -> None:
    month = {"monthly_active_users", "stickiness", "monthly_activity_rate"}
    assert set(changed({}, {"active": {"month": "calendar"}})) == month
    assert changed({}, {"value": {"gross_margin": 0.5}}) == dict.fromkeys(
        ("customer_lifetime_value_recurring", "clv_to_cac"), "formula"
    )
    # A mean over days also counts the people known so far: they tell when counting began.
    assert changed({}, {"stickiness": {"numerator": "last_full_day"}}) == {"stickiness": "counting"}


def test_a_new_goal_changes_bounces_only_where_goals_engage() -> None:
    goals = {"goals": {"searched": {"type": "custom"}}}
    converted = {
        "conversion_rate", "session_conversion_rate", "variant_conversion",
        "variant_conversion_low", "variant_conversion_high", "variant_uplift", "variant_p_value",
    }  # fmt: skip
    assert set(changed({}, goals)) == converted
    engaged = {"bounce": {"mode": "ga4", "engaged_goals": True}}
    found = changed(engaged, engaged | goals)
    assert set(found) == converted | {"bounce_rate", "landing_bounce_rate", "engagement_rate"}


def test_a_session_timeout_changes_the_funnels_of_sessions() -> None:
    funnel = {"steps": [{"type": "page_view"}, {"type": "order"}]}
    other = {"session": {"timeout_seconds": 600}}
    for scope, is_changed in (("user", False), ("session", True)):
        funnels = {"funnels": {"buy": funnel | {"scope": scope}}}
        found = changed(funnels, funnels | other)
        assert ("funnel_people" in found) is is_changed
        assert found["sessions"] == "counting"


def test_dimensions_change_segments_but_not_whole_sites() -> None:
    found = changed({}, {"dimensions": ["country"]})
    assert set(found.values()) == {"segments"}
    assert {"sessions", "variant_conversion"} <= set(found)
    # These have only dimensions of their own.
    assert not {"feature_usage_rate", "funnel_people"} & set(found)
    limited = changed({}, {"dimension_values_max": 7})
    assert limited == dict.fromkeys(ALL, "segments")
    assert changed({}, {"dimensions": ["channel", "device", "country"]}) == {}


def test_an_own_metric_changes_with_its_own_definition_alone() -> None:
    looks, clicks = {"looks": {"type": "page_view"}}, {"pressed": {"type": "click"}}
    first, second = {"a": {"numerator": "looks"}}, {"b": {"numerator": "pressed"}}
    before = {"measures": looks, "metrics": first}
    assert changed(before, {"measures": looks | clicks, "metrics": first | second}) == {"b": "new"}
    other = {"looks": {"type": "page_view", "where": {"page_url": "/"}}}
    assert changed(before, {"measures": other, "metrics": first}) == {"a": "counting"}
    assert changed(before, {}) == {"a": "dropped"}


# ---- stored fingerprints


NOW_MS = 5_000


def in_first_format(fingerprint: Fingerprint, since_ms: int = 0) -> Fingerprint:
    """Return a fingerprint as commit 6131ed2 stored it, read back."""
    raw = {"counting": fingerprint.counting[::-1], "formula": "f", "since_ms": since_ms}
    return msgspec.json.decode(msgspec.json.encode(raw), type=Fingerprint)


def test_fingerprints_of_another_version_cannot_be_compared() -> None:
    wanted = fingerprints(Settings())
    stored = {name: in_first_format(one) for name, one in wanted.items() if name != "sessions"}
    stored["gone"] = stored["orders"]
    found = changes(stored, wanted)
    assert found["sessions"] == "new"
    assert found["gone"] == "dropped"
    assert {change for name, change in found.items() if name not in ("sessions", "gone")} == {
        "unknown"
    }
    later = {name: msgspec.structs.replace(one, format=FORMAT + 1) for name, one in wanted.items()}
    assert set(changes(later, wanted).values()) == {"unknown"}


def test_the_first_start_keeps_the_age_of_metrics_stored_by_another_version() -> None:
    wanted = fingerprints(Settings())
    stored = {
        name: in_first_format(one, 1_000) for name, one in wanted.items() if name != "sessions"
    }
    kept = carried_on(stored, wanted, NOW_MS)
    assert kept["orders"].since_ms == 1_000
    assert kept["sessions"].since_ms == NOW_MS
    assert set(changes(kept, wanted).values()) == {"same"}
    reread = msgspec.json.decode(msgspec.json.encode(kept), type=dict[str, Fingerprint])
    assert reread == kept


def test_a_metric_counted_differently_is_counted_since_now() -> None:
    before = carried_on({}, fingerprints(Settings()), NOW_MS)
    assert {one.since_ms for one in before.values()} == {0}
    wanted = fingerprints(configured(bounce={"mode": "ga4"}))
    after = carried_on(before, wanted, NOW_MS)
    assert {name for name, one in after.items() if one.since_ms} == {
        "bounce_rate", "landing_bounce_rate",
    }  # fmt: skip


@pytest.mark.parametrize("variant", ["usual", "detailed"])
def test_what_commit_6131ed2_has_stored_is_carried_on(variant: str) -> None:
    keys = read_before()["variants"][variant]["keys"]
    (raw,) = (value for key, value in keys.items() if key.endswith(":definitions"))
    stored = {
        name: msgspec.structs.replace(msgspec.json.decode(text, type=Fingerprint), since_ms=7)
        for name, text in raw.items()
    }
    wanted = fingerprints(load_settings(HERE / f"{variant}.toml", {}))
    assert changes(stored, wanted) == {
        name: "unknown" if name in stored else "new" for name in wanted
    }
    kept = carried_on(stored, wanted, NOW_MS)
    assert {name: one.since_ms for name, one in kept.items()} == {
        name: 7 if name in stored else NOW_MS for name in wanted
    }
    assert changes(kept, wanted) == dict.fromkeys(wanted, "same")
