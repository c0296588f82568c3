"""The right value of what arrives in forms of its own: empty fields, long URLs, unusual numbers."""

import json
from pathlib import Path

import pytest

from tests.reported.cases import Run, case, report


@case("null_and_empty")
def test_null_and_an_empty_text_are_a_missing_field() -> None:
    found = report("null_empty_forms.jsonl")
    # Ten of eleven: a number in the context is no text, and that is named.
    assert found.value("page_views") == 10
    assert found.value("sessions") == 1
    assert "$.context" in found.stderr


@case("long_urls")
def test_a_view_with_a_long_url_counts() -> None:
    found = report("long_urls.jsonl")
    assert found.value("page_views") == 6
    assert found.value("page_views_per_page", page="/a") == 1
    assert found.value("page_views_per_page", page="/b") == 1


@case("numbers_as_strings")
def test_a_number_in_quotes_is_refused_with_advice() -> None:
    found = report("numbers_as_strings.jsonl")
    assert found.value("orders") == 1
    assert "source mapping" in found.stderr


@case("same_id_two_sites")
def test_an_event_id_is_one_sites() -> None:
    found = report("same_id_two_sites.jsonl")
    assert found.value("page_views", site="a") == 1
    assert found.value("page_views", site="b") == 1


@case("currency_case")
def test_a_currency_is_written_in_letters_of_any_case() -> None:
    found = report("currency_case.jsonl", settings="currency_case.toml")
    assert found.value("revenue") == 22
    assert found.value("orders") == 3


@case("reason_spelling")
def test_a_reason_is_written_in_any_spelling() -> None:
    found = report("reason_case.jsonl")
    involuntary = found.value("churned_customers_involuntary", "day", "2025-02-10")
    assert involuntary == 1


@case("passive_events_active")
def test_what_others_do_makes_nobody_active() -> None:
    found = report("refund_active.jsonl", "cancel_active.jsonl")
    active = {
        record["window"]["start"][:10]: record["value"]
        for record in found.records()
        if record["metric"] == "daily_active_users" and not record["dimensions"]
    }
    assert {day: number for day, number in active.items() if number} == {"2025-03-10": 1}


@case("localtime_accepted")
@pytest.mark.parametrize("zone", ["localtime", "Factory", "posixrules", "posix/UTC", "Mars/Base"])
def test_a_time_zone_has_an_iana_name(zone: str) -> None:
    found = report("overlap_a.jsonl", ENGAGE_TIMEZONE=zone)
    assert found.code == 2
    assert "IANA" in found.stderr


@case("funnel_raw_urls")
def test_a_condition_on_page_url_sees_the_page() -> None:
    found = report("funnel_url_norm.jsonl", settings="funnel_url_norm.toml")
    assert _pages(found, "funnel_people", "funnel", step="1") == {"f": 4}


@case("page_forms")
def test_the_forms_of_a_url_are_one_page() -> None:
    found = report("page_forms.jsonl")
    assert _pages(found) == {
        "/a": 6, "/A": 1, "/café": 2, "/#/settings": 1, "/": 2, "/blog/post": 1, "/amp/a": 1,
    }  # fmt: skip
    found = report(
        "page_forms.jsonl", ENGAGE_PAGES_QUERY_KEEP="p", ENGAGE_PAGES_HASH_ROUTES="false"
    )
    assert _pages(found).items() >= {"/?p=12": 1, "/?p=13": 1, "/": 1}.items()


@case("deep_links")
def test_each_screen_of_an_app_is_a_page() -> None:
    found = report("deep_links.jsonl")
    assert _pages(found) == {"myapp://settings": 1, "myapp://cart": 1, "myapp://checkout": 1}


@case("userinfo_in_page_label")
def test_no_page_shows_a_password() -> None:
    found = report("userinfo.jsonl", settings="userinfo.toml")
    assert _pages(found) == {"intra.x.test/a": 1, "x.test/a": 2}


def _pages(
    found: Run, metric: str = "page_views_per_page", dimension: str = "page", **where: str
) -> dict[str, float]:
    """Return the values of a metric over the whole input, by page."""
    return {
        record["dimensions"][dimension]: record["value"]
        for record in found.records()
        if record["metric"] == metric
        and record["window"]["kind"] == "all"
        and record["dimensions"].keys() == {dimension, *where}
        and record["dimensions"].items() >= where.items()
    }


@case("okhttp_is_bot")
def test_clients_of_apps_and_servers_are_people() -> None:
    found = report("okhttp.jsonl")
    assert found.value("page_views") == 4
    assert found.value("orders") == 1
    assert found.value("unique_visitors") == 5


@case("synthetic_browsers")
@pytest.mark.parametrize("name", [
    "Chrome-Lighthouse", "HeadlessChrome/120.0", "(compatible; Bytespider)", "DatadogSynthetics",
    "StatusCake", "(Google Page Speed Insights)",
])  # fmt: skip
def test_a_synthetic_browser_is_a_bot(name: str, tmp_path: Path) -> None:
    agent = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 {name}"
    event = {"type": "page_view", "event_time": "2025-03-10T10:00:00Z", "page_url": "/"}
    events = [
        event | {"event_id": "1", "visitor_id": "a", "context": {"user_agent": agent}},
        event | {"event_id": "2", "visitor_id": "b"},
    ]
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(map(json.dumps, events)))
    assert report(log).value("page_views") == 1


@case("undefined_ids")
def test_an_id_that_names_nobody_is_none() -> None:
    found = report("undefined_ids.jsonl")
    assert found.value("unique_visitors") == 6
    every_id = report("undefined_ids.jsonl", ENGAGE_IDS_PLACEHOLDERS="[]")
    assert every_id.value("unique_visitors") == 4


def test_an_event_of_nobody_is_counted_by_reason(tmp_path: Path) -> None:
    event = {"type": "order", "event_id": "1", "event_time": "2025-03-10T10:00:00Z"}
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps(event | {"order_id": "o", "user_id": "Guest", "visitor_id": "null"}))
    found = report(log)
    assert "nobody" in found.stderr or "no_person" in found.stderr


@case("time_forms")
def test_an_unusual_time_is_refused_with_advice() -> None:
    found = report("time_forms.jsonl")
    assert found.value("page_views") == 4
    assert "RFC 3339" in found.stderr
