"""`python -m agents.generate` writes every generated file; `--check` names those that are not current."""

import sys
from collections.abc import Callable, Sequence

from agents import limits_page
from agents.commands import reference, settings_page
from agents.monitoring.grafana import __main__ as grafana
from agents.monitoring.rules import __main__ as rules
from agents.monitoring.rules import prometheus_rule
from schemas import generate as schemas
from schemas.mapping import page as mappings

Main = Callable[[list[str]], int]
#: Each writes its files, or with --check names those that are not current and returns 1.
GENERATORS: tuple[Main, ...] = (
    schemas.main,
    mappings.main,
    settings_page.main,
    limits_page.main,
    reference.main,
    rules.main,
    # Reads what the rules have written.
    prometheus_rule.main,
    grafana.main,
)


def main(arguments: Sequence[str], generators: Sequence[Main] = GENERATORS) -> int:
    """Run all generators, also after one that fails; 0 if all succeed, else 1."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m agents.generate [--check]", file=sys.stderr)
        return 2
    failed = [generate(list(arguments)) for generate in generators]
    return 1 if any(failed) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
