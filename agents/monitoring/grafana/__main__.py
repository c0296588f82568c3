"""`python -m agents.monitoring.grafana` writes deploy/grafana; `--check` compares."""

import sys
from pathlib import Path

from agents.monitoring.grafana.files import outdated_files, shipped_files
from agents.monitoring.rules.files import write_files

GRAFANA = Path(__file__).resolve().parents[3] / "deploy" / "grafana"


def main(arguments: list[str]) -> int:
    """Write the files; with --check return 1 if one is not current, 2 for another argument."""
    if arguments == ["--check"]:
        outdated = outdated_files(GRAFANA, shipped_files())
        for path in outdated:
            print(
                f"{path} is not current: run `python -m agents.monitoring.grafana`", file=sys.stderr
            )
        return 1 if outdated else 0
    if arguments:
        print("usage: python -m agents.monitoring.grafana [--check]", file=sys.stderr)
        return 2
    for path in outdated_files(GRAFANA, shipped_files()):
        path.unlink(missing_ok=True)
    for path in write_files(GRAFANA, shipped_files()):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
