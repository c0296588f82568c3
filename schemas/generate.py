"""Writes the JSON Schemas of the contract from its structs, or checks that they are current."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from schemas.events import EVENT_TYPES, Event
from schemas.outputs import ChurnRiskRecord, DeadLetter, MetricRecord

DIRECTORY = Path(__file__).parent / "json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_files() -> dict[str, str]:
    """The text of every schema, by file name."""
    contracts: dict[str, tuple[str, Any]] = {
        "event": ("An event that comes in", Event),
        "metric_record": ("A number that goes out", MetricRecord),
        "churn_risk": ("How likely a person is to stay away", ChurnRiskRecord),
        "ledger_entry": ("A record that was not counted", DeadLetter),
    }
    return {f"{name}.v1.schema.json": _text(name, *c) for name, c in contracts.items()}


def _text(name: str, title: str, contract: Any) -> str:
    schema = msgspec.json.schema(contract)
    if name == "event":
        _require_person(schema)
    head = {"$schema": DIALECT, "$id": f"urn:engagement-stream:{name}:v1", "title": title}
    return json.dumps(head | schema, indent=2, ensure_ascii=False) + "\n"


def _require_person(schema: dict[str, Any]) -> None:
    """The codec wants one of the two ids, which no single field can say."""
    for kind in EVENT_TYPES.values():
        if kind.has_person:
            schema["$defs"][kind.struct.__name__]["anyOf"] = [
                {"required": [field], "properties": {field: {"type": "string"}}}
                for field in ("visitor_id", "user_id")
            ]


def stale(directory: Path = DIRECTORY) -> list[str]:
    """The names of the files in `directory` that are not what the structs say, or left over."""
    wanted = schema_files()
    there = {path.name: path.read_text("utf-8") for path in directory.glob("*.json")}
    return sorted(n for n in wanted.keys() | there.keys() if wanted.get(n) != there.get(n))


def main(arguments: Sequence[str], directory: Path = DIRECTORY) -> int:
    """Writes the schemas, or with --check names those that are not current and returns 1."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m schemas.generate [--check]", file=sys.stderr)
        return 2
    if arguments:
        names = stale(directory)
        for name in names:
            print(f"{name} is not current: run python -m schemas.generate", file=sys.stderr)
        return 1 if names else 0
    directory.mkdir(parents=True, exist_ok=True)
    for name in stale(directory):
        (directory / name).unlink(missing_ok=True)
    for name, text in schema_files().items():
        (directory / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
