"""The right values of sessions: their pages, their length, and the events that belong to them."""

from pathlib import Path

from tests.reported.cases import case, report


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
