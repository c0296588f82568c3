"""Loads the configuration: engage.toml, then ENGAGE_… variables, checked as a whole."""

from collections.abc import Mapping
from pathlib import Path

from schemas.suggest import did_you_mean
from stream.configure.check_definitions import broken_definitions
from stream.configure.check_service import broken_rules
from stream.configure.check_sources import broken_sources
from stream.configure.fields import Problem, build, hints, leaves
from stream.configure.lines import place_in, placed
from stream.configure.sources import from_environment, from_text, text_of
from stream.settings.application import Settings

DEFAULT_FILE = "engage.toml"


class SettingsError(Exception):
    """Raised for a configuration that cannot be used; `problems` holds a sentence for each mistake.

    `readable` has the default in place of each unusable value: `engage check` looks on with it.
    """

    def __init__(self, problems: list[str], readable: Settings) -> None:
        self.problems = tuple(problems)
        self.readable = readable
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{count} in the configuration:\n{lines}")


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Load `path`, or ./engage.toml if it exists, and override it by `environ`.

    Raises SettingsError with every problem found.
    """
    problems: list[Problem] = []
    file = path or Path(DEFAULT_FILE)
    written = text_of(file, problems) if path or file.is_file() else ""
    given = from_text(written, file, problems)
    given.update(from_environment(environ, problems))
    settings = build(Settings, "", given, problems)
    known = [*hints(Settings), *(key for key, _ in leaves(Settings))]
    for key, left in given.items():
        text = f"{key} ({left.source}): is not a setting; {did_you_mean(key, known, 'remove it')}"
        problems.append(Problem(key, text))
    # A key with an unusable value stands at its default here: a rule about it would mislead.
    failed = {problem.key for problem in problems}
    rules = [rule for rule in broken_rules(settings) if rule.partition(":")[0] not in failed]
    failed_tables = tuple(f"{key.rpartition('.')[0]}." for key in failed if key.count(".") > 1)
    definitions = (
        rule
        for rule in (*broken_definitions(settings), *broken_sources(settings))
        if not rule.startswith(failed_tables)
    )
    rules += [placed(rule, file, written) for rule in definitions]
    if problems or rules:
        texts = [place_in(problem.text, problem.key, file, written) for problem in problems]
        raise SettingsError(texts + rules, settings)
    return settings
