"""Run an alert's cases through the real promtool, on the shipped rules that the alert needs."""

import copy
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import missing
from tests.servers.process import ServerMissing

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules"
CASES = Path(__file__).parent / "cases"
#: Files with cases of alerts; recording.yml has those of recording rules.
WEEKLY, FORTNIGHT = "weekly.yml", "fortnight.yml"
ALERT_CASES = tuple(
    sorted(file.name for file in CASES.glob("*.yml") if file.name != "recording.yml")
)
_SECONDS = 300
_NAME = re.compile(r"[a-z]+:[a-zA-Z0-9_]+:[a-zA-Z0-9_]+")

Rule = dict[str, Any]


def tool(*names: str) -> str:
    """Return the path of a program under any of its names; if missing, skip the test, or fail in CI."""
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        package = "prometheus" if names[0] == "promtool" else "prometheus-alertmanager"
        missing(ServerMissing(f"{names[0]} is not on the path: install it (apt install {package})"))
    return path


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program; both its outputs are one text."""
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_SECONDS
    )


@cache
def shipped_groups() -> list[dict[str, Any]]:
    """Return the groups of deploy/prometheus/rules, in the order of their evaluation."""
    groups = []
    for name in ("families.yml", "product.yml", "pipeline.yml"):
        groups += yaml.safe_load((RULES / name).read_text("utf-8"))["groups"]
    return groups


def alerts() -> dict[str, Rule]:
    """Return the shipped alerts by name."""
    return {r["alert"]: r for g in shipped_groups() for r in g["rules"] if "alert" in r}


def records() -> dict[str, Rule]:
    """Return the shipped recording rules by name."""
    return {r["record"]: r for g in shipped_groups() for r in g["rules"] if "record" in r}


def part_for(alert: Rule) -> list[dict[str, Any]]:
    """Return the groups with only the alert and the recording rules it needs."""
    known, needed, ahead = records(), set(), {*_NAME.findall(alert["expr"])}
    while ahead:
        name = ahead.pop()
        if name not in needed:
            needed.add(name)
            ahead |= {*_NAME.findall(known[name]["expr"])}
    groups = []
    for group in shipped_groups():
        rules = [rule for rule in group["rules"] if rule.get("record") in needed]
        rules += [alert for rule in group["rules"] if rule.get("alert") == alert["alert"]]
        if rules:
            groups.append({"name": group["name"], "rules": rules})
    return copy.deepcopy(groups)


@cache
def case_file(name: str) -> dict[str, Any]:
    """Return one file of cases."""
    return yaml.safe_load((CASES / name).read_text("utf-8"))


def cases_of(alert: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (file, case) of every case whose name begins with the alert's."""
    for name in ALERT_CASES:
        for case in case_file(name)["tests"]:
            if case["name"].split(" ", 1)[0] == alert:
                yield name, case


def failures(
    alert: Rule,
    groups: list[dict[str, Any]],
    folder: Path,
    files: tuple[str, ...] = ALERT_CASES,
) -> str:
    """Return promtool's output for the failed cases of an alert on these rules; empty if all hold."""
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": groups}), "utf-8")
    output = ""
    for name in files:
        tests = [case for file, case in cases_of(alert["alert"]) if file == name]
        if not tests:
            continue
        document = case_file(name) | {"rule_files": ["rules.yml"], "tests": tests}
        document["group_eval_order"] = [group["name"] for group in groups]
        (folder / name).write_text(yaml.safe_dump(document), "utf-8")
        done = run(tool("promtool"), "test", "rules", str(folder / name))
        output += done.stdout if done.returncode else ""
    return output
