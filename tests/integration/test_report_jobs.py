"""The processes of a report end with it, and it ends in order if one of them does not live."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stream.report.jobs import parts
from stream.report.jobs.parts import jobs_for
from stream.settings.application import Settings
from tests.faults.worker_process import wait_until

ROOT = Path(__file__).parents[2]


@contextmanager
def waiting(directory: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A report in two jobs, one of which waits for standard input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "agents", "report", "--jobs", "2", "-"],
        cwd=directory, env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        wait_until("two jobs", lambda: len(jobs_of(process)) == 2)
        yield process
    finally:
        process.kill()
        process.communicate()


def jobs_of(process: "subprocess.Popen[bytes]") -> list[int]:
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(one) for one in path.read_text().split()]


def is_running(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("group", [True, False])
def test_a_signal_ends_a_report_with_its_jobs(
    number: signal.Signals, group: bool, tmp_path: Path
) -> None:
    with waiting(tmp_path) as report:
        jobs = jobs_of(report)
        (os.killpg if group else os.kill)(report.pid, number)
        code = report.wait(30)
        assert report.stdout is not None and report.stderr is not None
        assert (code, report.stdout.read(), report.stderr.read()) == (128 + number, b"", b"")
        wait_until("the end of the jobs", lambda: not any(map(is_running, jobs)))


def test_a_job_that_dies_ends_the_report_with_a_plain_message(tmp_path: Path) -> None:
    with waiting(tmp_path) as report:
        jobs = jobs_of(report)
        os.kill(jobs[0], signal.SIGKILL)
        _, errors = report.communicate(timeout=30)
        text = errors.decode()
        assert report.returncode == 2
        assert "ended by SIGKILL" in text and "--jobs 1" in text and "nothing was counted" in text
        assert "Traceback" not in text
        wait_until("the end of the jobs", lambda: not any(map(is_running, jobs)))


def test_jobs_end_if_their_report_is_killed(tmp_path: Path) -> None:
    with waiting(tmp_path) as report:
        jobs = jobs_of(report)
        report.kill()
        assert report.stdin is not None
        report.stdin.close()
        report.stdin = None
        wait_until("the end of the jobs", lambda: not any(map(is_running, jobs)))


def test_standard_input_is_read_by_one_job(tmp_path: Path) -> None:
    lines = [
        json.dumps({"type": "page_view", "event_id": str(number), "visitor_id": f"v{number % 50}",
                    "event_time": 1_700_000_000_000 + number * 1000, "page_url": "/"})
        for number in range(500)
    ]  # fmt: skip
    printed = []
    for jobs in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-m", "agents", "report", "--jobs", jobs, "--format", "json", "-", "-"],
            cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, timeout=120,
            capture_output=True, input="\n".join(lines).encode(),
        )  # fmt: skip
        printed.append((sorted(found.stdout.splitlines()), found.stderr))
    assert printed[0] == printed[1] and len(printed[0][0]) > 50


def test_small_inputs_pipes_and_the_churn_model_take_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, pipe = tmp_path / "large", tmp_path / "pipe"
    large.write_bytes(b"{}\n" * 1000)
    os.mkfifo(pipe)
    settings = Settings()
    assert jobs_for(settings, [str(large)], None) == 1
    monkeypatch.setattr(parts, "_JOB_BYTES", 1000)
    monkeypatch.setattr(parts, "_cores", lambda: 64)
    assert jobs_for(settings, [str(large)], None) == 3
    assert jobs_for(settings, [str(large)], 5) == 5
    assert jobs_for(settings, [str(large), str(pipe)], 5) == 1
    assert jobs_for(settings, ["-"], None) == 1 and jobs_for(settings, ["-"], 2) == 2
