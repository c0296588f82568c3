"""Skips the reported cases where their inputs are not at hand; with CI set they fail instead."""

import os

import pytest

from tests.reported.cases import REPORTED


@pytest.fixture(autouse=True, scope="session")
def _reported_inputs() -> None:
    if not REPORTED.is_dir():
        text = f"the reported cases are not at {REPORTED}; ENGAGE_CASES names their directory"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(text)
