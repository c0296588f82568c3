"""The right values of sessions: their pages, their length, and the events that belong to them."""

import json
from pathlib import Path

from tests.reported.cases import REPORTED, case, report

ROOT = Path(__file__).parents[2]
BY_VISITOR = 'identity = "visitor"\n'


@case("same_second_entry_exit")
def test_views_of_one_second_follow_each_other_as_they_stand_in_the_file() -> None:
    found = report("same_second_pages.jsonl")
    landings = {
        r["dimensions"]["page"] for r in found.records() if r["metric"] == "landing_sessions"
    }
    assert landings == {"/promo"}
    assert found.value("exit_rate", "day", page="/apple") == 1
    assert found.value("exit_rate", "day", page="/zebra") == 0


@case("time_on_page_uncapped")
def test_a_heartbeat_stands_for_at_most_the_session_timeout(tmp_path: Path) -> None:
    found = report("laptop_sleep_heartbeat_sid.jsonl")
    assert found.value("time_on_page", "day") == 1_800
    assert found.value("landing_page_time", "day") == 1_800
    shorter = tmp_path / "engage.toml"
    shorter.write_text("session = { timeout_seconds = 600 }\nduration = { basis = 'engaged' }\n")
    found = report("laptop_sleep_heartbeat_sid.jsonl", settings=shorter)
    assert found.value("time_on_page", "day", page="/a") == 600
    assert found.value("session_duration", "day") == 600


@case("session_end_ignored")
def test_a_session_end_ends_a_session_and_a_session_start_begins_one(tmp_path: Path) -> None:
    found = report("session_end_then_more.jsonl")
    assert (found.value("sessions"), found.value("session_duration")) == (2, (300 + 1) / 2)
    bounced = found.number("bounce_rate")
    assert (bounced["numerator"], bounced["denominator"]) == (2, 2)
    without = tmp_path / "engage.toml"
    without.write_text("session = { explicit_ends = false }\n")
    found = report("session_end_then_more.jsonl", settings=without)
    assert (found.value("sessions"), found.value("session_duration")) == (1, 601)


@case("login_mid_session")
def test_a_log_in_begins_another_session_and_the_limits_say_so(tmp_path: Path) -> None:
    found = report("login_mid_session.jsonl")
    assert (found.value("unique_visitors"), found.value("sessions")) == (2, 2)
    found = report("login_mid_session.jsonl", settings=_by_visitor(tmp_path))
    assert (found.value("unique_visitors"), found.value("sessions")) == (1, 1)
    assert "a log-in in the middle of a session without `session_id` begins another" in _limits()
    assert "Events before a log-in belong to the visitor" in (ROOT / "README.md").read_text()


@case("order_two_persons")
def test_an_order_id_is_known_by_person_and_the_catalogue_says_so() -> None:
    found = report("order_two_persons.jsonl")
    assert (found.value("orders"), found.value("revenue")) == (2, 20)
    assert "An order sent for the visitor and again for the user is two orders." in _limits()
    assert "Several of one person with one order_id count as one" in _catalogue()


@case("cart_login")
def test_a_cart_filled_before_the_log_in_is_abandoned_and_the_limits_say_so(tmp_path: Path) -> None:
    number = report("cart_login.jsonl", "--until", "2025-03-31").number(
        "cart_abandonment_rate", "day", "2025-03-11"
    )
    assert (number["numerator"], number["denominator"]) == (1, 1)
    found = report("cart_login.jsonl", "--until", "2025-03-31", settings=_by_visitor(tmp_path))
    days = [
        record
        for record in found.records()
        if record["metric"] == "cart_abandonment_rate" and record["window"]["kind"] == "day"
    ]
    assert [(day["numerator"], day["denominator"]) for day in days] == [(0, 1)]
    assert "A cart filled before the log-in counts as abandoned" in _limits()
    assert "A cart_id is known by person." in _catalogue()


def test_the_pages_say_that_a_subscription_is_known_by_person() -> None:
    assert "A subscription that the visitor started goes on, though the user ends it." in _limits()
    assert "A subscription_id is known by person." in _catalogue()


def _by_visitor(directory: Path) -> Path:
    path = directory / "engage.toml"
    path.write_text(BY_VISITOR)
    return path


def _limits() -> str:
    return (ROOT / "deploy" / "README.md").read_text().partition("## Limits")[2]


def _catalogue() -> str:
    return (ROOT / "stream" / "metrics" / "README.md").read_text()


@case("order_without_session_id")
def test_an_order_without_a_session_id_belongs_to_the_open_session(tmp_path: Path) -> None:
    found = report("order_no_sid.jsonl")
    assert found.value("sessions") == 1
    assert found.value("session_conversion_rate") == 1
    assert found.value("session_duration") == 180
    # An hour after the session by id, it begins one of its own.
    later = (REPORTED / "order_no_sid.jsonl").read_text().replace("10:02:00", "11:02:00")
    path = tmp_path / "later.jsonl"
    path.write_text(later)
    assert report(path).value("sessions") == 2


def test_each_order_counts_for_the_session_of_its_own_instant(tmp_path: Path) -> None:
    events = [
        (0, {"type": "page_view", "session_id": "s1"}),
        (3, {"type": "order", "order_id": "o1", "revenue": 1}),
        (20, {"type": "page_view", "session_id": "s2"}),
        (25, {"type": "order", "order_id": "o2", "revenue": 1}),
    ]
    path = tmp_path / "two.jsonl"
    path.write_text("".join(json.dumps(_event(minute, fields)) + "\n" for minute, fields in events))
    found = report(path)
    assert (found.value("sessions"), found.value("session_conversion_rate")) == (2, 1)


def _event(minute: int, fields: dict[str, object]) -> dict[str, object]:
    time = f"2025-03-10T10:{minute:02}:00Z"
    return {"event_id": f"e{minute}", "event_time": time, "visitor_id": "v", **fields}
