"""Mistakes in [sources]: all at once, each with its line; and what a mapping means for definitions."""

from pathlib import Path

import pytest

from stream.configure.check_sources import source_named
from stream.configure.fingerprints import definition_version, fingerprints
from stream.configure.lines import line_of
from stream.configure.load import SettingsError, load_settings
from stream.settings.application import Settings

GOOD = """
[sources.web]
topics = ["segment-events"]
preset = "segment"

[sources.web.every]
user_id = "context.groupId"

[[sources.web.event]]
when = { type = "track", event = "Trial" }
type = "goal"
name = { value = "trial" }
"""


def load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "engage.toml"
    file.write_text(text, "utf-8")
    return load_settings(file, {})


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    return [one.replace(str(tmp_path / "engage.toml"), "F") for one in caught.value.problems]


def test_a_source_is_read_with_its_preset(tmp_path: Path) -> None:
    mapping = source_named(load(tmp_path, GOOD), "web").mapping
    assert [rule.label for rule in mapping.rules[:2]] == ["rule 1", "preset rule 1"]


MISTAKES = [
    ('preset = "segmnt"', "sources.web.preset (F:2): 'segmnt' is no preset; did you mean segment?"),
    ('format = "jsn"', "sources.web.format (F:2)"),
    ('formt = "json"', "sources.web.formt"),
    ('each = "a..b"', "sources.web.each (F:2): 'a..b' is no path: see character 2"),
    ('parse = { a = "yaml" }', "sources.web.parse.a (F:2): found 'yaml'; use json, base64_json"),
    ('when = { a = { starts = "b" } }', "'starts' is no condition; did you mean starts_with?"),
    ("when = { a = { above = true } }", "sources.web.when.a.above (F:2): use a number"),
    ("when = { a = [] }", "use a list of texts, numbers or booleans"),
    ('every.user = "a"', "sources.web.every.user (F:2): is no field of any event type; did you mean user_id?"),
    ("every.user_id = 5", "sources.web.every.user_id (F:2): found 5; use a path, a list of paths"),
    ('every.user_id = { from = "a", as = "txt" }', "'txt' is no converter; did you mean text?"),
    ('every.user_id = { as = "text" }', "does not say where it comes from"),
    ('every.user_id = { form = "a" }', "does not say where it comes from"),
    ('every.user_id = { from = "a", scale = 2 }', "every.user_id.scale (F:2): is unknown here"),
    ('every.event_time = { from = "a", as = "datetime" }', 'as = "datetime" needs `zone`'),
    ('every.event_time = { from = "a", as = "time", zone = "Mars" }', "'Mars' is no IANA time zone"),
    ('every.event_time = { from = "a", as = "seconds", zone = "UTC" }', "is no option of seconds"),
    ('every.event_id = { id = "a" }', "use { id = [paths] } and nothing beside it"),
    ('every.event_id = { id = ["$headers"] }', "'$headers' names no header"),
    ('every.user_id = { value = "a", as = "text" }', "use { value = … } with one text"),
    ('every.user_id = { from = "a", map = {} }', "every.user_id.map (F:2): use a table"),
    ('every.user_id = { from = "a", else = [1] }', "every.user_id.else (F:2): use a text"),
    ("every.context = 5", "sources.web.every.context (F:2): use a table"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "text"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_is_named_with_its_line(tmp_path: Path, line: str, text: str) -> None:
    found = problems(tmp_path, f"[sources.web]\n{line}\n[[sources.web.event]]\nignore = 'all'\n")
    assert [one for one in found if text in one], found


RULES = [
    ("ignore = 'a'\nreject = 'b'", "sources.web.event[1] (F:4): a rule has one of type, ignore and reject"),
    ("when = { a = 1 }", "sources.web.event[1] (F:4): a rule has one of type"),
    ("type = 'page_vew'", "event[1].type (F:5): 'page_vew' is not an event type; did you mean page_view?"),
    ("ignore = 'a'\nuser_id = 'b'", "event[1].user_id (F:6): a rule without `type` has no fields"),
    ("type = 'page_view'\npage_ur = 'b'", "event[1].page_ur (F:6): is no field of page_view; did you mean page_url?"),
    ("type = 'order'", "sources.web.event[1] (F:4): nothing gives event_id, which order needs; add it"),
    ("type = 'order'", "nothing gives order_id, which order needs; add it"),
    ("type = 'order'", "nothing gives visitor_id or user_id, and order needs one of them"),
    ("type = 'survey_response'\nsurvey = { value = 'stars' }", "survey: the fixed value 'stars' cannot be used"),
    ("type = 'order'\n[sources.web.event.context]\ncountry = 7", "event[1].context.country (F:7): found 7"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), RULES, ids=[text for _, text in RULES])
def test_a_mistake_of_a_rule_is_named_with_the_line_of_that_rule(
    tmp_path: Path, rule: str, text: str
) -> None:
    first = "[[sources.web.event]]\nwhen = { a = 1 }\nignore = 'one'\n"
    found = problems(tmp_path, f"{first}[[sources.web.event]]\n{rule}\n")
    assert [one for one in found if text in one], found


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    text = (
        "[sources.a]\nformat = 'x'\n[sources.b]\npreset = 'y'\n[[sources.b.event]]\ntype = 'z'\n"
        "[sources.c]\neach = '['\n"
    )
    found = problems(tmp_path, text)
    for key in (
        "sources.a.format",
        "sources.b.preset",
        "sources.b.event[0].type",
        "sources.c.each",
    ):
        assert [one for one in found if one.startswith(key)], (key, found)


def test_a_rule_that_no_record_reaches_is_named(tmp_path: Path) -> None:
    text = (
        "[sources.web]\n[[sources.web.event]]\nignore = 'a'\n[[sources.web.event]]\nignore = 'b'\n"
    )
    [found] = problems(tmp_path, text)
    assert found.startswith("sources.web.event[1] (F:4): rule 1 before it has no `when`")


def test_a_source_without_a_rule_is_named(tmp_path: Path) -> None:
    [found] = problems(tmp_path, "[sources.web]\nformat = 'json'\n")
    assert found == "sources.web.event (F:1): there is no rule; add [[…event]]"


def test_rules_that_all_match_need_suffixes_of_their_own(tmp_path: Path) -> None:
    rules = "[[sources.web.event]]\nwhen = { a = 1 }\ntype = 'session_start'\n" * 2
    every = "every = { event_id = 'a', event_time = 'b', user_id = 'c' }"
    found = problems(tmp_path, f"[sources.web]\nmatch = 'all'\n{every}\n{rules}")
    assert len(found) == 1
    assert found[0].startswith('sources.web.event[1] (F:7): with match = "all" each rule needs a')


def test_the_line_of_a_rule_is_that_of_its_place() -> None:
    text = "[a]\n[[a.e]]\nx = 1\n[a.e.c]\ny = 2\n[[a.e]]\nx = 3\n[a.e.c]\ny = 4\n"
    keys = {
        "a.e[0].x": 3,
        "a.e[1].x": 7,
        "a.e[0].c.y": 5,
        "a.e[1].c.y": 9,
        "a.e[1]": 6,
        "a.e[1].z": 6,
    }
    assert {key: line_of(text, key) for key in keys} == keys


def test_a_mapping_is_part_of_the_definition(tmp_path: Path) -> None:
    plain = definition_version(Settings())
    mapped = load(tmp_path, GOOD)
    assert definition_version(mapped) != plain
    assert (
        fingerprints(mapped)["sessions"].counting != fingerprints(Settings())["sessions"].counting
    )
    other = load(tmp_path, GOOD.replace("context.groupId", "userId"))
    assert definition_version(other) != definition_version(mapped)
    for same in (
        GOOD.replace("segment-events", "others"),
        GOOD.replace("sources.web", "sources.site"),
    ):
        assert definition_version(load(tmp_path, same)) == definition_version(mapped)
