"""`python -m agents.monitoring.rules` writes rules, routes and the table of alerts; `--check` compares."""

import sys
from pathlib import Path

from agents.monitoring.rules.files import outdated_files, shipped_files, write_files
from agents.monitoring.rules.table import alerts_markdown
from schemas.generate import with_block
from stream.settings.application import Settings

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
PAGE = "README.md"


def deploy_files() -> dict[str, str]:
    """Build the shipped files, and the page of deploy/ with its table of alerts."""
    page = (DEPLOY / PAGE).read_text("utf-8")
    return shipped_files() | {PAGE: with_block(page, "alerts", alerts_markdown(Settings()))}


def main(arguments: list[str]) -> int:
    """Write the files; with --check return 1 if one is not current, 2 for another argument."""
    if arguments == ["--check"]:
        outdated = outdated_files(DEPLOY, deploy_files())
        for path in outdated:
            print(
                f"{path} is not current: run `python -m agents.monitoring.rules`", file=sys.stderr
            )
        return 1 if outdated else 0
    if arguments:
        print("usage: python -m agents.monitoring.rules [--check]", file=sys.stderr)
        return 2
    for path in write_files(DEPLOY, deploy_files()):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
