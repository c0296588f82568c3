"""`engage settings` prints an engage.toml that loads back, and every setting has a full help."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agents.cli.main import main
from agents.commands.settings import as_toml
from agents.commands.settings_page import FILE, page
from agents.commands.settings_page import main as write_page
from stream.configure.describe import Setting, describe, describe_table
from stream.configure.load import load_settings
from stream.settings.application import Settings, Site
from stream.settings.definitions import Funnel, Measure, OwnMetric, Selection

SETTINGS = describe(Settings())
#: Includes the fields of tables whose names users choose.
ALL = [one for given in SETTINGS for one in (given, *given.fields)]
RICH = """
currency = "EUR"
dimensions = ["country", "a \\"quoted\\" \\u007f one"]
[kafka]
max_partition_fetch_bytes = 65536
[session]
timeout_by_platform = { ios = 300 }
[redis]
socket_timeout_seconds = 0.5
[sites."shop.example"]
timezone = "Europe/Berlin"
[exclude]
environment = ["test", 'stage\\d+']
[goals.signup]
type = "custom"
where = { name = ["signup", "join"], "context.plan" = "pro*", interactive = true }
[funnels.shop]
steps = [{ type = "page_view" }, { type = "order", where = { revenue = 1.5 } }]
[measures.wishes]
type = "custom"
[metrics.wishes_per_session]
numerator = "wishes"
denominator = "sessions"
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty directory, apart from the engage.toml of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)


def engage(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, ["settings", *arguments], env=environ)


def loaded(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "printed.toml"
    file.write_text(text, "utf-8")
    return load_settings(file, {})


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("written", ["", RICH])
def test_printed_settings_load_back(tmp_path: Path, everything: bool, written: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(written, "utf-8")
    result = engage("--config", str(file), *(["--all"] if everything else []))
    assert (result.exit_code, result.stderr) == (0, "")
    assert loaded(tmp_path, result.stdout) == load_settings(file, {})


def test_basic_settings_are_few_and_all_are_printed_with_all() -> None:
    basic = [one for one in SETTINGS if one.help.basic]
    assert 25 <= len(basic) <= 40
    few, every = engage().stdout, engage("--all").stdout
    for one in SETTINGS:
        line = re.compile(rf"^(# )?\[?{re.escape(one.name)}[\s\].]", re.MULTILINE)
        assert line.search(every), one.key
        assert one.help.controls[:40] in every.replace("\n#", "")
    assert few.count("\n") < every.count("\n") / 2
    assert "[kafka]" in few and "[scroll]" not in few


def test_a_changed_setting_is_printed_although_it_is_not_basic() -> None:
    assert "\n[scroll]\n" in engage(ENGAGE_SCROLL_THRESHOLDS="[33]").stdout


def test_secrets_are_omitted() -> None:
    environ = {"ENGAGE_REDIS_PASSWORD": "c4nary", "ENGAGE_REDIS_URL": "redis://u:c4nary@127.0.0.1"}
    for arguments in ((), ("--all",), ("--format", "json")):
        assert "c4nary" not in engage(*arguments, **environ).output


def test_json_has_type_bounds_default_and_value() -> None:
    result = engage("--format", "json", ENGAGE_SESSION_TIMEOUT_SECONDS="60")
    rows = {row["key"]: row for row in json.loads(result.stdout)}
    assert list(rows) == [one.key for one in SETTINGS]
    timeout = rows["session.timeout_seconds"]
    assert (timeout["type"], timeout["bounds"]) == ("integer", {"minimum": 1})
    assert (timeout["default"], timeout["value"], timeout["basic"]) == (1800, 60, True)
    assert timeout["variable"] == "ENGAGE_SESSION_TIMEOUT_SECONDS"
    assert rows["active.live_minutes"]["choices"] == [5, 30]
    assert rows["currency"]["bounds"] == {"pattern": "^[A-Z]{3}$"}
    assert rows["churn_risk.low_below"]["bounds"] == {
        "exclusive_minimum": 0,
        "exclusive_maximum": 1,
    }
    assert rows["dimensions"]["bounds"] == {"max_items": 8}
    assert (rows["redis.password"]["type"], rows["redis.password"]["value"]) == ("secret", None)
    assert rows["goals"]["fields"].keys() == {"type", "where"}


def test_a_wrong_configuration_is_refused() -> None:
    result = engage(ENGAGE_WEB_PORT="x")
    assert result.exit_code == 2
    assert "ENGAGE_WEB_PORT" in result.output


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.key)
def test_a_help_explains_each_value(one: Setting) -> None:
    about = one.help
    assert about.controls[:1].isupper() and about.controls.endswith("."), about.controls
    assert not about.why or (about.why[:1].isupper() or about.why[:1].isdigit())
    assert not about.why or about.why.endswith(".")
    if one.choices:
        written = {str(choice) or '""' for choice in one.choices}
        assert about.values.keys() == written
    if one.type == "boolean":
        assert about.values.keys() == {"true", "false"}
    for sentence in re.split(r"(?<=[.:;]) ", about.text):
        assert len(sentence.split()) <= 20, sentence


@pytest.mark.parametrize(
    "one", [one for one in SETTINGS if one.help.example], ids=lambda one: one.key
)
def test_an_example_can_be_used(tmp_path: Path, one: Setting) -> None:
    example = one.help.example
    header = f"[{one.table}]\n" if one.table else ""
    text = example if example.startswith("[") else header + example
    settings = loaded(tmp_path, text)
    assert settings != Settings()


def test_the_page_is_current_and_names_every_setting(tmp_path: Path) -> None:
    text = FILE.read_text("utf-8")
    assert text == page(Settings()), "run make generate"
    for one in SETTINGS:
        section = text.partition(f"\n## `[{one.table}]`\n" if one.table else "\n## Application\n")[
            2
        ]
        assert f"| `{one.name}` |" in section.partition("\n## ")[0], one.key
    for table in (Site, Selection, Funnel, Measure, OwnMetric):
        assert all(f"| `{one.name}` |" in text for one in describe_table(table))


def test_an_outdated_page_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "README.md"
    assert write_page(["--check"], file) == 1
    assert "run make generate" in capsys.readouterr().err
    assert write_page([], file) == 0
    assert write_page(["--check"], file) == 0
    file.write_text(file.read_text("utf-8") + "x")
    assert write_page(["--check"], file) == 1
    assert write_page(["--wrong"], file) == 2


def test_tables_have_a_heading() -> None:
    for line in re.findall(r"^# (.+)\n\[[a-z_]+\]$", as_toml(Settings(), everything=True), re.M):
        assert line.endswith("."), line
