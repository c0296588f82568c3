"""`engage report` over what is no file of events, into outputs that are closed, and interrupted."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

VIEW = '{"type":"page_view","event_id":"e%d","event_time":%d,"visitor_id":"v"}\n'
ENGAGE = [sys.executable, "-m", "agents"]
#: Runs `engage report` with chunks so small that a few thousand events are moved to the spill.
SPILLING = [
    sys.executable, "-c",
    (
        "import sys; from stream.report import sorting; sorting.CHUNK_BYTES = 50_000; "
        "from agents.cli.main import main; main(sys.argv[1:])"
    ),
]  # fmt: skip


def run(
    *arguments: str | Path, command: list[str] = ENGAGE, shell: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `engage report` on files; `shell` follows the command in a shell."""
    words = [*command, "report", "--metric", "page_views", "--window", "all", "--format", "json"]
    words += [str(one) for one in arguments]
    if shell:
        words = ["sh", "-c", f'"$@" {shell}', "sh", *words]
    return subprocess.run(
        words, capture_output=True, text=True, timeout=120, env={**os.environ, **variables},
        errors="replace",
    )  # fmt: skip


def shuffled(path: Path, count: int) -> Path:
    numbers = random.Random(1).sample(range(count), count)
    path.write_text("".join(VIEW % (n, 1_700_000_000_000 + n * 1000) for n in numbers))
    return path


def plain(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the messages, none of which may be a traceback."""
    assert "Traceback" not in done.stderr and "Error:" not in done.stderr.replace("\nError: ", "")
    return done.stderr.splitlines()


def test_a_directory_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 2 and "is a directory" in plain(done)[-1]


def test_a_fifo_is_read(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    writer = subprocess.Popen(
        [sys.executable, "-c", f"open({str(fifo)!r}, 'w').write({VIEW % (1, 1_700_000_000_000)!r})"]
    )
    done = run(fifo)
    writer.wait(10)
    assert (done.returncode, plain(done)) == (0, ["1 lines read, all counted"])


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    file = shuffled(tmp_path / "e.jsonl", 1)
    file.chmod(0)
    # Root may read every file, unless it gives up these capabilities.
    unable = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    done = run(file, command=[*unable, *ENGAGE] if os.geteuid() == 0 else ENGAGE)
    assert done.returncode == 2 and f"File '{file}' is not readable" in plain(done)[-1]


@pytest.mark.parametrize("content", [
    random.Random(2).randbytes(100_000), b"\x1f\x8b" + bytes(1000), b"\x28\xb5\x2f\xfd" + bytes(1000),
    b"PAR1" + bytes(1000), b"[" * 200_000, b"[{" * 100_000, b'{"a":' * 100_000, b"[[1,2],[3,[4]]]",
    b"x" * 1_000_000, b"\x00" * 1_000_000, b"event_id,event_time\n" + b"\xff\x00,\n" * 100,
    b"\xff\xfe[\x00]\x00",
])  # fmt: skip
def test_garbage_is_named_and_nothing_counted(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "garbage"
    file.write_bytes(content)
    done = run(file)
    messages = plain(done)
    assert (done.returncode, done.stdout) == (2, "")
    assert messages[-1] == f"engage: there is no event to count in {file}"
    assert 3 <= len(messages) <= 30 and max(map(len, messages)) < 500


def test_a_line_of_a_million_characters_is_left_out_alone(tmp_path: Path) -> None:
    file = tmp_path / "e.jsonl"
    one = VIEW % (1, 1_700_000_000_000)
    file.write_text(one + '{"a":"' + "x" * 1_000_000 + '"}\n' + one.replace("e1", "e2"))
    done = run(file)
    assert done.returncode == 0 and plain(done)[-3:] == [
        "3 lines read", "2 counted", "1 no event    1 too_large",
    ]  # fmt: skip


def test_a_closed_output_is_one_message(tmp_path: Path) -> None:
    done = run(shuffled(tmp_path / "e.jsonl", 10), shell=">&-")
    assert done.returncode == 1 and plain(done)[-1] == "engage: standard output is closed"


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    file = shuffled(tmp_path / "e.jsonl", 2_000)
    done = run("--window", "minute", file, shell="| head -n 1")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert [line for line in plain(done) if "lines read" not in line] == []


def test_a_full_disk_while_sorting_is_one_message(tmp_path: Path) -> None:
    file = shuffled(tmp_path / "e.jsonl", 5_000)
    room = tmp_path / "room"
    room.mkdir()
    words = [*SPILLING, "report", str(file)]
    limited = ["sh", "-c", 'ulimit -f 100; exec "$@"', "sh", *words]
    done = subprocess.run(
        limited, capture_output=True, text=True, timeout=60, env={**os.environ, "TMPDIR": str(room)}
    )
    assert (done.returncode, done.stdout) == (2, "")
    (message,) = plain(done)
    assert message.startswith(f"engage: cannot sort the input: {room} took ")
    assert message.endswith("; nothing was counted") and "set TMPDIR" in message
    assert list(room.iterdir()) == []


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_temporary_file_stays_behind(tmp_path: Path, ending: signal.Signals) -> None:
    room = tmp_path / "room"
    room.mkdir()
    file = shuffled(tmp_path / "e.jsonl", 20_000)
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    running = subprocess.Popen(
        [*SPILLING, "report", str(file), str(fifo)], env={**os.environ, "TMPDIR": str(room)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with fifo.open("w"):  # Opens once the report has read the first file.
        time.sleep(0.2)
        spilled = [str(link.readlink()) for link in Path(f"/proc/{running.pid}/fd").iterdir()]
        assert any(str(room) in target for target in spilled)
        running.send_signal(ending)
        _, errors = running.communicate(timeout=30)
    assert running.returncode != 0 and "Traceback" not in errors
    assert list(room.iterdir()) == []
