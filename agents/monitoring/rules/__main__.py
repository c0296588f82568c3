"""`python -m agents.alerting` writes deploy/prometheus and deploy/alertmanager; `--check` compares."""

import sys
from pathlib import Path

from agents.monitoring.rules.files import outdated_files, shipped_files, write_files

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"


def main(arguments: list[str]) -> int:
    """0; 1 when --check finds a file that is not current; 2 for any other argument."""
    if arguments == ["--check"]:
        outdated = outdated_files(DEPLOY, shipped_files())
        for path in outdated:
            print(f"{path} is not current: run `python -m agents.alerting`", file=sys.stderr)
        return 1 if outdated else 0
    if arguments:
        print("usage: python -m agents.monitoring.rules [--check]", file=sys.stderr)
        return 2
    for path in write_files(DEPLOY, shipped_files()):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
