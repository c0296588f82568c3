"""One command writes or checks every generated file, and fails if any generator fails."""

from collections.abc import Callable

import pytest

from agents.generate import GENERATORS, main


def generator(seen: list[list[str]], result: int) -> Callable[[list[str]], int]:
    def generate(arguments: list[str]) -> int:
        seen.append(arguments)
        return result

    return generate


@pytest.mark.parametrize("arguments", [[], ["--check"]])
@pytest.mark.parametrize(("results", "code"), [((0, 0), 0), ((1, 0), 1), ((0, 1), 1)])
def test_every_generator_runs_and_one_failure_fails_the_command(
    arguments: list[str], results: tuple[int, ...], code: int
) -> None:
    seen: list[list[str]] = []
    assert main(arguments, [generator(seen, result) for result in results]) == code
    assert seen == [arguments, arguments]


def test_wrong_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--chek"]) == 2
    assert "usage: python -m agents.generate [--check]" in capsys.readouterr().err
    assert len(GENERATORS) >= 5
