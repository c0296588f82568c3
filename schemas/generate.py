"""Writes what derives from the structs: JSON Schemas, README tables, examples of new event types."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from schemas.events import EVENT_TYPES, Event
from schemas.example import least_example
from schemas.outputs import ChurnRiskRecord, DeadLetter, MetricRecord
from schemas.rejection import CAUSES

_HERE = Path(__file__).parent
DIRECTORY = _HERE / "json"
EXAMPLES = _HERE / "examples" / "valid"
README = _HERE / "README.md"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_files() -> dict[str, str]:
    """Text of every schema, by file name."""
    contracts: dict[str, tuple[str, Any]] = {
        "event": ("Event", Event),
        "metric_record": ("Metric record", MetricRecord),
        "churn_risk": ("Churn risk of a person", ChurnRiskRecord),
        "ledger_entry": ("Dead letter", DeadLetter),
    }
    return {f"{name}.v1.schema.json": _text(name, *c) for name, c in contracts.items()}


def _text(name: str, title: str, contract: Any) -> str:
    schema = msgspec.json.schema(contract)
    if name == "event":
        _require_person(schema)
    head = {"$schema": DIALECT, "$id": f"urn:engagement-stream:{name}:v1", "title": title}
    return json.dumps(head | schema, indent=2, ensure_ascii=False) + "\n"


def _require_person(schema: dict[str, Any]) -> None:
    """Require one of the two ids, as the codec does; the struct cannot say it of one field."""
    for kind in EVENT_TYPES.values():
        if kind.has_person:
            schema["$defs"][kind.struct.__name__]["anyOf"] = [
                {"required": [field], "properties": {field: {"type": "string"}}}
                for field in ("visitor_id", "user_id")
            ]


def stale(directory: Path = DIRECTORY) -> list[str]:
    """Names of the files in `directory` that differ from the structs, or belong to none."""
    wanted = schema_files()
    there = {path.name: path.read_text("utf-8") for path in directory.glob("*.json")}
    return sorted(n for n in wanted.keys() | there.keys() if wanted.get(n) != there.get(n))


def without_example(examples: Path = EXAMPLES) -> list[str]:
    """Names of the event types without an example: `<type>.json` or `<type>__<variant>.json`."""
    there = {path.stem.split("__")[0] for path in examples.glob("*.json")}
    return [name for name in EVENT_TYPES if name not in there]


def types_markdown() -> str:
    """Table of the event types: what each one is before any setting changes it."""
    heads = ("topic", "type", "meaning", "in a session", "interactive", "makes active", "is about")
    lines = [heads, ("---",) * len(heads)]
    for kind in EVENT_TYPES.values():
        active = kind.counts_people and not kind.passive
        about = "an account" if kind.of_account else "a person" if kind.has_person else "no person"
        marks = ("yes" if mark else "" for mark in (kind.in_session, kind.interactive, active))
        meaning = " ".join((kind.struct.__doc__ or "").split())
        lines.append((f"`{kind.topic}`", f"`{kind.name}`", meaning, *marks, about))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def reasons_markdown() -> str:
    """Table of the reasons for which a record is not counted."""
    rows = [f"| `{reason}` | {cause} |\n" for reason, cause in CAUSES.items()]
    return "".join(["| reason | cause |\n", "| --- | --- |\n", *rows])


def with_block(page: str, name: str, block: str) -> str:
    """Replace a generated block of a page. Raises ValueError if the page lacks the block's marks."""
    start, end = f"<!-- {name}:start -->\n", f"<!-- {name}:end -->"
    before, found, rest = page.partition(start)
    _, also_found, after = rest.partition(end)
    if not found or not also_found:
        raise ValueError(f"the page has no place for the table {name}: {start.strip()}")
    return f"{before}{start}{block}{end}{after}"


def with_tables(page: str) -> str:
    """Replace every generated table of the page of this folder."""
    page = with_block(page, "types", types_markdown())
    return with_block(page, "reasons", reasons_markdown())


def _faults(directory: Path, examples: Path, readme: Path) -> Iterator[str]:
    for name in stale(directory):
        yield f"{name} is not current"
    for name in without_example(examples):
        yield f"{name} has no example in {examples.parent.name}/{examples.name}"
    if readme.exists() and with_tables(text := readme.read_text("utf-8")) != text:
        yield f"a table of {readme.name} is not current"


def main(
    arguments: Sequence[str],
    directory: Path = DIRECTORY,
    examples: Path = EXAMPLES,
    readme: Path = README,
) -> int:
    """Write everything; with --check print what is not current instead, and return 1 for that."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m schemas.generate [--check]", file=sys.stderr)
        return 2
    if arguments:
        faults = list(_faults(directory, examples, readme))
        for fault in faults:
            print(f"{fault}: run python -m schemas.generate", file=sys.stderr)
        return 1 if faults else 0
    directory.mkdir(parents=True, exist_ok=True)
    for name in stale(directory):
        (directory / name).unlink(missing_ok=True)
    for name, text in schema_files().items():
        (directory / name).write_text(text, "utf-8")
    for name in without_example(examples):
        (examples / f"{name}.json").write_text(least_example(EVENT_TYPES[name]), "utf-8")
    if readme.exists():
        readme.write_text(with_tables(readme.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
