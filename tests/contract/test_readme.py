"""The pages match the code: their commands, series and settings exist, their examples work."""

import json
import re
import shlex
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import click
import msgspec
import pytest

from agents.cli.main import main
from schemas.codec import Reason, parse
from schemas.events import EVENT_TYPES
from schemas.generate import with_block
from schemas.outputs import MetricRecord
from stream.configure.describe import describe
from stream.counters.calendar import Calendar
from stream.counters.measures import EVENTS
from stream.counters.segments import SegmentRegistry
from stream.intake.families import FAMILIES as INTAKE
from stream.metrics.catalogue import catalogue
from stream.publish.snapshot import Count, Gauge, HeavyPerson, Snapshot
from stream.settings.application import Settings
from stream.web.exporter import Exporter, SnapshotCollector
from stream.worker.status import OwnerCounts
from stream.worker.telemetry import Telemetry
from tests.contract.pages import README, ROOT, blocks, pages
from tests.staleness import LIVE

CONTRACT = ROOT / "schemas" / "README.md"


@pytest.fixture(scope="module")
def every_page() -> str:
    return "\n".join(page.read_text("utf-8") for page in pages())


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text("utf-8")


@pytest.fixture(scope="module")
def contract() -> str:
    return CONTRACT.read_text("utf-8")


def test_a_page_without_the_place_of_its_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the table types"):
        with_block("nothing here", "types", "")


def shell(text: str) -> Iterator[str]:
    """Yield the command lines of a page's examples: of scripts, and of terminals after their prompt."""
    for block in blocks(text, "sh"):
        yield from block.replace("\\\n", " ").splitlines()
    for block in blocks(text, "console"):
        for line in block.replace("\\\n", " ").replace("|\n", "| ").splitlines():
            if line.startswith("$ "):
                yield line.removeprefix("$ ")


def commands(text: str) -> Iterator[list[str]]:
    """Yield the arguments of every `engage …` in the examples, up to a pipe or a redirection."""
    for line in shell(text):
        words = shlex.split(line, comments=True)
        while "engage" in words:
            words = words[words.index("engage") + 1 :]
            stops = [i for i, word in enumerate(words) if word in ("|", ">", "&&", ";")]
            yield words[: min(stops, default=len(words))]


def test_every_command_of_the_examples_exists_with_its_options(every_page: str) -> None:
    seen = set()
    for words in commands(every_page):
        command: click.Command = main
        path = []
        while words and isinstance(command, click.Group):
            options = {name for p in command.params for name in p.opts}
            if words[0] in options:
                words = words[2:]
                continue
            assert words[0] in command.commands, words
            path.append(words[0])
            command, words = command.commands[words[0]], words[1:]
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known, (path, words)
        seen.add(" ".join(path))
    # Of a group, one of its commands.
    assert {path.split(" ")[0] for path in seen} >= {*main.commands}


def test_every_make_target_that_is_named_exists(every_page: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(" ".join(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)).split())
    named = set(re.findall(r"^make (\w+)|`make (\w+)", every_page, re.MULTILINE))
    assert {one or other for one, other in named} <= targets


def test_readme_names_every_command(readme: str) -> None:
    for name in main.commands:
        assert f"engage {name}" in readme, name


def test_the_example_event_is_valid(contract: str) -> None:
    events = [block for block in blocks(contract, "json") if '"event_id"' in block]
    assert events
    for event in events:
        parse(event.encode())


def test_the_first_own_event_is_valid_and_its_key_is_its_person(readme: str) -> None:
    (line,) = (line for line in shell(readme) if "kafka-console-producer" in line)
    sent = shlex.split(line.replace("$(date +%s)", "1741943066"))[1]
    key, _, value = sent.partition("|")
    event, time_ms = parse(value.encode())
    assert time_ms == 1_741_943_066_000
    assert event.visitor_id == key


def test_the_example_record_is_valid(contract: str) -> None:
    (example,) = (block for block in blocks(contract, "json") if '"is_final"' in block)
    record = msgspec.json.decode(example, type=MetricRecord)
    assert json.loads(example) == msgspec.to_builtins(record)  # No field is left out.
    assert record.metric in {metric.name for metric in catalogue(Settings())}


def test_every_type_every_topic_and_every_reason_is_documented(contract: str) -> None:
    topics = {kind.topic for kind in EVENT_TYPES.values()}
    for name in {*EVENT_TYPES, *topics, *map(str, Reason)}:
        assert f"`{name}`" in contract, name


def exported() -> set[str]:
    """Return the names of all series on a worker's page, without the suffixes of histograms."""
    settings = Settings()
    gauges = [
        Gauge(m.name, m.windows[0], "s", dimension, dimension, 1)
        for m in catalogue(settings)
        for dimension in ("", "country")
    ]
    snapshot = Snapshot(
        2**52, 1, 1, 1, gauges, [Count(EVENTS, "s", 1)], {"applied": 1}, {"late": 1}, 0, []
    )
    state = SimpleNamespace(next=1, expected=1, goal=1)
    names = SegmentRegistry(("country",), 2, lambda _: Calendar())
    names.values.admit("s", "country", "DE")
    shard = SimpleNamespace(topics={"page-views": state}, registry=names)
    assigned = SimpleNamespace(shard=shard, partition=0)
    owner: Any = SimpleNamespace(
        counts=OwnerCounts(),
        assigned_shards={0: assigned},
        heaviest=lambda: [HeavyPerson(0, "5e28b54d6a4f5170", 0.2, 4.0)],
    )
    log: Any = SimpleNamespace(read_to=lambda _: (2, 2))
    dead_letters: Any = SimpleNamespace(entries_sent=0, failures=0, backlog=0)
    telemetry = Telemetry(owner, log, dead_letters)
    collector = SnapshotCollector(catalogue(settings), lambda: snapshot, LIVE, telemetry.collect)
    page = Exporter(collector).render("text/plain")[0].decode()
    # Families without samples are named as well: their counters gain `_total` with the first
    # sample.
    names = set(re.findall(r"^# TYPE (engagement_\w+) ", page, re.MULTILINE))
    return names | {f"{name}_total" for name in names if not name.endswith("_total")}


def test_every_documented_series_is_exported(every_page: str) -> None:
    # Names of recording rules are excluded: they have a colon before it.
    named = set(re.findall(r"(?<![:\w])engagement_[a-z0-9_]+", every_page))
    assert len(named) > 40
    # A metric, a setting and a field of GA4 begin like a series.
    others = {"engagement_segment_", "engagement_rate", "engagement_kinds", "engagement_time_msec"}
    of_intake = {family.series for family in INTAKE.values()}
    assert named - others <= exported() | of_intake
    assert of_intake <= named


def test_every_documented_setting_exists(every_page: str) -> None:
    known = {row.key for row in describe(Settings())}
    tables = {key.partition(".")[0] for key in known if "." in key}
    named = {
        name
        for name in re.findall(r"`([a-z_]+\.[a-z_]+)`", every_page)
        if name.partition(".")[0] in tables and not name.endswith(".py")
    }
    assert named <= known | {"topics.inputs"}
