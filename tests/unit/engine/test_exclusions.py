"""Bots and internal traffic are counted as such, and nowhere else."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from stream.configure.load import SettingsError, load_settings
from stream.counters import measures
from stream.counters.measures import Grain
from stream.engine.event_rules import BOT
from stream.engine.exclusions import build_exclusions
from stream.report.file_report import Report
from stream.settings.application import Settings
from stream.settings.intake import BotSettings

START = 1_709_553_600_000
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
COUNTED = (measures.PAGE_VIEWS, measures.BOT_EVENTS, measures.EXCLUDED_EVENTS, measures.NEW_ALL)


def settings(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "engage.toml"
    path.write_text(text)
    return load_settings(path, {})


def counts(config: Settings, *events: dict[str, Any]) -> tuple[int, ...]:
    """Return the number of page views, events of bots, excluded events, and people."""
    report = Report(config, START + 10**7, lambda bad: pytest.fail(str(bad)))
    report.read("f", [
        msgspec.json.encode({
            "type": "page_view", "event_id": str(number), "event_time": START + number,
            "visitor_id": f"v{number}", "page_url": "/",
        } | event)
        for number, event in enumerate(events)
    ])  # fmt: skip
    report.shard.count_collected()
    registry = {i: name for i, name in report.shard.registry.series.items() if not name[2]}
    total = dict.fromkeys(COUNTED, 0)
    for series, count in report.shard.counters.tables[Grain.ALL].get(0, {}).items():
        if series in registry and registry[series][0] in total:
            total[registry[series][0]] += count
    return tuple(total.values())


def by(user_agent: str) -> dict[str, Any]:
    return {"context": {"user_agent": user_agent}}


@pytest.mark.parametrize("agent", [
    GOOGLE, "facebookexternalhit/1.1", CHROME.replace("Chrome", "HeadlessChrome"),
    f"{CHROME} Chrome-Lighthouse", f"{CHROME} DatadogSynthetics", f"{CHROME} StatusCake",
    "Mozilla/5.0 (KHTML, like Gecko; Google Page Speed Insights) Chrome/131.0 Safari/537.36",
    "Mozilla/5.0 (compatible; Bytespider; spider-feedback@example.com)", "GPTBot/1.2", "PTST/230",
    "Mozilla/5.0 (compatible; NewBot/1.0; +https://new.example)", "NewRelicPinger/1.0",
])  # fmt: skip
def test_a_bot_is_known_by_its_user_agent(agent: str) -> None:
    assert counts(Settings(), by(agent), by(CHROME), {}) == (2, 1, 0, 2)


LIBRARIES = (
    "okhttp/4.9.3", "axios/1.6.2", "python-requests/2.31", "Go-http-client/2.0", "Java/17.0.1",
    "Apache-HttpClient/4.5.13", "curl/8.1.2", "Dart/3.1 (dart:io)", "node-fetch/1.0",
)  # fmt: skip
APPS = (
    "Dalvik/2.1.0 (Linux; U; Android 13)", "Shop/3 CFNetwork/1410.0.3 Darwin/22.6.0",
    f"{CHROME} Electron/27.0", "Mozilla/5.0 (iPhone) Mobile/15E148 [FBAN/FBIOS;FBAV/400]",
)  # fmt: skip


@pytest.mark.parametrize("agent", [*LIBRARIES, *APPS])
def test_clients_of_apps_and_servers_are_people(agent: str) -> None:
    assert counts(Settings(), by(agent)) == (1, 0, 0, 1)


def test_http_libraries_are_bots_if_the_settings_say_so() -> None:
    config = Settings(bots=BotSettings(http_libraries=True))
    assert counts(config, by("okhttp/4.9.3"), by("python-requests/2.31"), by(APPS[0])) == (
        1,
        2,
        0,
        1,
    )


def test_every_bot_of_the_public_list_is_one_but_libraries() -> None:
    excluded = build_exclusions(Settings())
    for entry in CRAWLER_USER_AGENTS_DATA:
        if "http-library" not in entry["tags"]:
            for agent in entry["instances"][:1]:
                assert excluded({"user_agent": agent}) is BOT, agent


def test_an_event_can_declare_itself_a_bot() -> None:
    assert counts(Settings(), {"is_bot": True}, {}) == (1, 1, 0, 1)


def test_a_device_with_a_similar_name_is_not_a_bot() -> None:
    agent = "Mozilla/5.0 (Linux; Android 9; CUBOT_X18) AppleWebKit/537.36 Chrome/131.0 Mobile"
    assert counts(Settings(), by(agent)) == (1, 0, 0, 1)


def test_bots_count_like_people_if_included(tmp_path: Path) -> None:
    config = settings(tmp_path, '[bots]\nmode = "include"\n')
    assert counts(config, by(GOOGLE), {"is_bot": True}, {}) == (3, 0, 0, 3)


def test_only_bots_count_in_the_only_mode(tmp_path: Path) -> None:
    config = settings(tmp_path, '[bots]\nmode = "only"\n')
    assert counts(config, by(GOOGLE), {"is_bot": True}, by(CHROME), {}) == (2, 0, 2, 2)


def test_bots_are_found_by_a_configured_field_and_patterns(tmp_path: Path) -> None:
    config = settings(tmp_path, '[bots]\nuser_agent_field = "ua"\npatterns = ["^acme"]\n')
    acme = {"context": {"ua": "ACME probe"}}
    assert counts(config, acme, by(GOOGLE)) == (1, 1, 0, 1)


def test_internal_traffic_is_excluded_and_counted(tmp_path: Path) -> None:
    config = settings(tmp_path, '[exclude]\nenvironment = ["test.*", "staging"]\n')
    inside = [{"context": {"environment": value}} for value in ("test-7", "staging")]
    outside = [{"context": {"environment": value}} for value in ("live", "not staging")]
    assert counts(config, *inside, *outside, {}) == (3, 0, 2, 3)


@pytest.mark.parametrize("text", ['[bots]\npatterns = ["("]\n', '[exclude]\nhost = ["("]\n'])
def test_a_broken_pattern_is_named_with_its_key(tmp_path: Path, text: str) -> None:
    with pytest.raises(
        SettingsError, match=r"(bots\.patterns|exclude\.host): .*regular expression"
    ):
        settings(tmp_path, text)
