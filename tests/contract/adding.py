"""Checks of the changes in stream/ADDING.md, run in a copy of the repository that contains one of them.

`python -m tests.contract.adding metric` writes the generated files and checks the new metric.
"""

import inspect
import json
import logging
import sys
from collections.abc import Callable
from types import ModuleType

from click.testing import CliRunner

from agents import generate
from agents.cli.main import main
from agents.commands.logs import logging_config
from schemas.events import EVENT_TYPES
from stream.configure.describe import describe
from stream.configure.load import load_settings
from stream.metrics.catalogue import catalogue
from stream.settings.application import Settings
from tests.contract import test_every_metric, test_worked_examples
from tests.contract.pages import ROOT
from tests.contract.test_worked_examples import on, records
from tests.unit.agents import test_settings_command
from tests.unit.schemas import test_codec, test_schemas_current

KIND, METRIC, RATE = "social_mention", "clicks_per_session", "social_mention_rate"
SETTING, VARIABLE = "log.repeat_seconds", "ENGAGE_LOG_REPEAT_SECONDS"


def contract_holds(tests: ModuleType, parameter: str, value: object) -> None:
    """Run every test of a module that has this parameter alone."""
    checks = [
        check
        for name, check in vars(tests).items()
        if name.startswith("test_") and [*inspect.signature(check).parameters] == [parameter]
    ]
    assert checks
    for check in checks:
        check(value)


def metric_is_complete(name: str) -> None:
    """Check a metric by the contract of all metrics, in the reference, the rules and a dashboard."""
    (metric,) = [one for one in catalogue(Settings()) if one.name == name]
    contract_holds(test_every_metric, "metric", metric)
    for file in (
        "stream/metrics/README.md",
        "deploy/prometheus/rules/families.yml",
        "deploy/grafana/dashboards/engagement.json",
    ):
        text = (ROOT / file).read_text("utf-8")
        assert metric.gauge in text or name in text, file


def check_metric() -> None:
    """Two people have a session each; one of them clicks three times on content."""
    metric_is_complete(METRIC)
    events = [on(1, "page_view", who) for who in "ab"]
    events += [on(1, "click", "a", minute, content_id="c") for minute in (1, 2, 3)]
    (record,) = records(events, METRIC, "all")
    assert (record.numerator, record.denominator, record.value) == (3, 2, 1.5)


def check_event_type() -> None:
    """A network shows posts 10,000 times; the product is mentioned 30 times."""
    metric_is_complete(RATE)
    example = ROOT / "schemas" / "examples" / "valid" / f"{KIND}.json"
    assert json.loads(example.read_bytes())["type"] == KIND
    test_codec.test_a_valid_example_becomes_the_event_of_its_type(example)
    test_schemas_current.test_a_valid_example_satisfies_the_schema(example)
    test_schemas_current.test_an_example_can_be_derived_from_every_struct(EVENT_TYPES[KIND])
    assert f"`{KIND}`" in (ROOT / "schemas" / "README.md").read_text("utf-8")
    events = [on(1, "social_impression", "us", post_id="p", count=10_000)]
    events += [on(1, KIND, "us", minute, count=10) for minute in (1, 2, 3)]
    found = records(events, RATE, "day")
    record = test_worked_examples.value_in(found, "2024-04-01T00:00:00Z")
    assert (record.numerator, record.denominator, record.value) == (30, 10_000, 0.003)


def check_setting() -> None:
    """One second instead of ten: a message repeated after a second is written again."""
    (setting,) = [one for one in describe(Settings()) if one.key == SETTING]
    contract_holds(test_settings_command, "one", setting)
    assert "| `repeat_seconds` |" in (ROOT / "stream/settings/README.md").read_text("utf-8")
    printed = CliRunner().invoke(main, ["settings"], env={VARIABLE: "1"}).stdout
    assert "repeat_seconds = 1.0" in printed.partition("[log]")[2]
    refused = CliRunner().invoke(main, ["settings"], env={VARIABLE: "x"})
    assert refused.exit_code == 2 and VARIABLE in refused.output
    options = dict(logging_config(load_settings(None, {VARIABLE: "1"}))["filters"]["rate"])
    now = [0.0]
    limit = options.pop("()")(clock=lambda: now[0], **options)
    message = logging.makeLogRecord({"msg": "again", "levelno": logging.INFO})
    assert [limit.filter(message), limit.filter(message)] == [True, False]
    now[0] = 1.0
    assert limit.filter(message)


CHECKS: dict[str, Callable[[], None]] = {
    "metric": check_metric,
    "event_type": check_event_type,
    "setting": check_setting,
}

if __name__ == "__main__":
    assert generate.main([]) == 0
    CHECKS[sys.argv[1]]()
