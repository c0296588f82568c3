"""The README says what the code does: its tables are generated, its names exist, its examples work.

`python -m tests.contract.test_readme` writes the generated tables anew.
"""

import ast
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import msgspec
import pytest

from agents.cli.main import main
from agents.commands.catalogue import metrics_markdown, settings_markdown
from agents.monitoring.rules.table import alerts_markdown
from schemas.codec import Reason, parse
from schemas.events import EVENT_TYPES, TOPIC_TYPES
from schemas.outputs import MetricRecord
from stream.configure.load import describe
from stream.counters.measures import EVENTS
from stream.metrics.catalogue import catalogue
from stream.publish.snapshot import Count, Gauge, Snapshot
from stream.settings.application import Settings
from stream.web.exporter import Exporter, SnapshotCollector
from stream.worker.assigned_shard import OwnerCounts
from stream.worker.telemetry import Telemetry

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PACKAGES = ("agents", "schemas", "stream")
#: Reasons that no code gives yet.
UNUSED_REASONS = {Reason.CURRENCY}


def files_markdown() -> str:
    """One line a module of the three packages: the first sentence of its docstring."""
    lines = ["| file | what it is for |", "| --- | --- |"]
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            text = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
            sentence = " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")
            lines.append(f"| `{file.relative_to(ROOT).as_posix()}` | {sentence} |")
    return "\n".join(lines) + "\n"


GENERATED: dict[str, Callable[[], str]] = {
    "files": files_markdown,
    "alerts": lambda: alerts_markdown(Settings()),
    "metrics": lambda: metrics_markdown(Settings()),
    "settings": lambda: settings_markdown(Settings()),
}


def with_generated(text: str) -> str:
    """The README with every generated table as it should be. Raises ValueError without its marks."""
    for name, make in GENERATED.items():
        start, end = f"<!-- {name}:start -->\n", f"<!-- {name}:end -->"
        before, found, rest = text.partition(start)
        _, also_found, after = rest.partition(end)
        if not found or not also_found:
            raise ValueError(f"README.md has no place for the table {name}: {start.strip()}")
        text = f"{before}{start}{make()}{end}{after}"
    return text


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_generated_tables_are_current(readme: str) -> None:
    assert with_generated(readme) == readme, (
        "a table of README.md is not current: run `python -m tests.contract.test_readme`"
    )


def test_a_readme_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the table files"):
        with_generated("nothing here")


def commands(text: str) -> Iterator[list[str]]:
    """The arguments of every `engage …` in the shell examples, up to a pipe or a redirection."""
    for block in blocks(text, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while "engage" in words:
                words = words[words.index("engage") + 1 :]
                stops = [i for i, word in enumerate(words) if word in ("|", ">", "&&", ";")]
                yield words[: min(stops, default=len(words))]


def test_every_command_of_the_examples_exists_with_its_options(readme: str) -> None:
    seen = set()
    for words in commands(readme):
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
    assert seen >= {*main.commands} - {"topics"} | {"topics create"}


def test_the_example_event_is_one(readme: str) -> None:
    events = [block for block in blocks(readme, "json") if '"event_id"' in block]
    assert events
    for event in events:
        parse(event.encode())


def test_the_example_record_is_one(readme: str) -> None:
    (example,) = (block for block in blocks(readme, "json") if '"is_final"' in block)
    record = msgspec.json.decode(example, type=MetricRecord)
    assert json.loads(example) == msgspec.to_builtins(record)  # No field is left out.
    assert record.metric in {metric.name for metric in catalogue(Settings())}


def test_every_type_every_topic_and_every_reason_is_named(readme: str) -> None:
    reasons = {str(reason) for reason in set(Reason) - UNUSED_REASONS}
    for name in {*EVENT_TYPES, *TOPIC_TYPES, *reasons}:
        assert f"`{name}`" in readme, name


def exported() -> set[str]:
    """Names of all series on a worker's page, without the suffixes of histograms."""
    settings = Settings()
    gauges = [
        Gauge(m.name, m.windows[0], "s", dimension, dimension, 1)
        for m in catalogue(settings)
        for dimension in ("", "country")
    ]
    snapshot = Snapshot(
        2**52, 1, 1, 1, gauges, [Count(EVENTS, "s", 1)], {"applied": 1}, {"late": 1}, 0, []
    )
    state = SimpleNamespace(next=1, expected=1)
    names = SimpleNamespace(fill=lambda: [("s", "country", 0.5)])
    shard = SimpleNamespace(topics={"page-views": state}, registry=names)
    assigned = SimpleNamespace(shard=shard, partition=0, claim=SimpleNamespace(is_new=False))
    owner: Any = SimpleNamespace(counts=OwnerCounts(), assigned_shards={0: assigned})
    log: Any = SimpleNamespace(read_to=lambda _: (2, 2))
    dead_letters: Any = SimpleNamespace(entries_sent=0, failures=0, backlog=0)
    telemetry = Telemetry(owner, log, dead_letters)
    collector = SnapshotCollector(catalogue(settings), lambda: snapshot, 30, telemetry.collect)
    page = Exporter(collector).render("text/plain")[0].decode()
    # Families without samples are named as well: their counters gain `_total` with the first.
    names = set(re.findall(r"^# TYPE (engagement_\w+) ", page, re.MULTILINE))
    return names | {f"{name}_total" for name in names if not name.endswith("_total")}


def test_every_series_that_is_named_is_exported(readme: str) -> None:
    named = set(re.findall(r"\b(engagement_[a-z0-9_]+)", readme))
    assert len(named) > 40
    # A metric and a setting begin like a series.
    others = {"engagement_segment_", "engagement_rate", "engagement_kinds"}
    assert named - others <= exported()


def test_every_setting_that_is_named_exists(readme: str) -> None:
    known = {row.key for row in describe(Settings())}
    tables = {key.partition(".")[0] for key in known if "." in key}
    named = {
        name
        for name in re.findall(r"`([a-z_]+\.[a-z_]+)`", readme)
        if name.partition(".")[0] in tables
    }
    assert named <= known | {"topics.inputs"}


def test_every_file_that_is_linked_is_there(readme: str) -> None:
    linked = re.findall(r"\]\(([^)#:]+)[)#]", readme)
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', readme)
    assert pictures
    for target in (*linked, *pictures):
        assert (ROOT / target).exists(), target


if __name__ == "__main__":
    README.write_text(with_generated(README.read_text("utf-8")), "utf-8")
