"""The compiled core, in the wheel of the image, passes the tests of the sources."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.compiled import importing
from tests.deploy import ROOT
from tests.deploy.image import Build

_ORACLE = "tests/properties/test_engine_matches_oracle.py"
_SUBSCRIPTIONS = "tests/properties/test_subscriptions_match_oracle.py"
#: The mutants are tested on the sources: compiled functions cannot be replaced.
CHECKED = (
    "tests/properties/test_engine_and_time.py",
    f"{_ORACLE}::test_order_batches_shards_and_crashes_change_no_number",
    f"{_ORACLE}::test_every_setting_matches_the_oracle",
    "tests/properties/test_ids_with_the_joint.py",
    "tests/properties/test_goals_match_oracle.py::test_a_larger_run_with_crashes_matches_the_oracle",
    "tests/properties/test_money_matches_oracle.py",
    f"{_SUBSCRIPTIONS}::test_a_long_history_counts_what_the_oracle_counts",
    "tests/unit/counters",
    "tests/unit/engine",
    "tests/unit/metrics",
    "tests/unit/people",
    "tests/unit/sessions",
)
_WHICH = (
    "import stream.engine.fold as fold, stream.people.person as person, stream.history.buyers as buyers; "
    "print(fold.__file__, person.__file__, buyers.__file__)"
)


def test_the_compiled_core_gives_the_same_numbers(built: Build, tmp_path: Path) -> None:
    (wheel,) = built.root.glob("build/dist/*.whl")
    packages = tmp_path / "packages"
    ZipFile(wheel).extractall(packages)
    environment = os.environ | importing(packages)
    used = subprocess.run(
        [sys.executable, "-c", _WHICH], env=environment, cwd=ROOT, capture_output=True, text=True,
        timeout=60, check=True,
    ).stdout.split()  # fmt: skip
    assert all(path.startswith(str(packages)) and path.endswith(".so") for path in used), used
    command = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", *CHECKED]
    command += ["-p", "no:cacheprovider", f"--basetemp={tmp_path / 'inner'}"]
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=700, check=False
    )
    if done.returncode:
        pytest.fail(done.stdout[-4_000:] + done.stderr[-1_000:])
