"""Runs all tests, in two halves side by side: those that only compute, and those that start servers.

`python -m tests.everything`; other arguments go to both halves of pytest.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

COMPUTING = ("tests/unit", "tests/contract", "tests/properties")
#: Those that watch the clock come last, when the other half is nearly through.
SERVING = (
    "tests/alerting", "tests/deploy", "tests/grafana", "tests/integration", "tests/browser",
    "tests/faults",
)  # fmt: skip
NOT_TESTS = {"bench", "servers"}


def main(arguments: list[str]) -> int:
    """0 when both halves have passed."""
    if left_out := forgotten():
        print(f"in neither half: {', '.join(left_out)}", file=sys.stderr)
        return 1
    pytest = [sys.executable, "-m", "pytest", *arguments]
    with tempfile.TemporaryFile() as output:
        # Two that write to one cache directory would get in each other's way.
        first = subprocess.Popen(
            [*pytest, "-p", "no:cacheprovider", *COMPUTING], stdout=output, stderr=subprocess.STDOUT
        )
        try:
            second = subprocess.run([*pytest, *SERVING], check=False).returncode
            first_code = first.wait()
        finally:
            first.kill()
        output.seek(0)
        sys.stdout.write(output.read().decode(errors="replace"))
    return int(bool(first_code or second))


def forgotten() -> list[str]:
    """Directories with tests that neither half runs."""
    here = Path(__file__).parent
    found = {path.parent.name for path in here.glob("*/test_*.py")}
    named = {Path(name).name for name in (*COMPUTING, *SERVING)}
    return sorted(found - named - NOT_TESTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
