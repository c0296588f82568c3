"""Real Redis for tests, from the machine's own redis-server."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers.certificates import Authority, Certified
from tests.servers.process import ServerMissing, ServerProcess, ask, free_port


def installed_redis() -> str | None:
    """Return the machine's redis-server, never one that a package puts beside our Python."""
    beside = Path(sys.executable).parent
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    others = [folder for folder in folders if Path(folder) != beside]
    return shutil.which("redis-server", path=os.pathsep.join(others))


class RedisServer(ServerProcess):
    """Redis on a free loopback port, with the durability settings that the project requires."""

    def __init__(self, extra: Sequence[str] = ()) -> None:
        """`extra` are further arguments, such as ("--maxmemory", "4mb"); they override ours."""
        binary = installed_redis()
        if binary is None:
            raise ServerMissing(
                "redis-server is not on the path: install it (Debian: apt install redis-server, "
                "macOS: brew install redis)"
            )
        super().__init__("redis")
        self._binary = binary
        self._extra = tuple(extra)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        options = {
            "--bind": "127.0.0.1",
            "--port": str(self.port),
            "--dir": str(self.directory),
            "--appendonly": "yes",
            "--appendfsync": "everysec",
            "--maxmemory-policy": "noeviction",
            "--save": "",
            "--loglevel": "warning",
        }
        pairs = [part for option in options.items() for part in option]
        return [self._binary, *pairs, *self._extra]

    def answers(self) -> bool:
        # While it still loads its append-only file it answers -LOADING.
        return ask(self.port, b"PING\r\n", size=16).startswith(b"+PONG")


class SecuredRedis(RedisServer):
    """A Redis that also listens with TLS, asks for client certificates, and has users with passwords."""

    def __init__(
        self, authority: Authority, server: Certified, users: Mapping[str, Sequence[str]]
    ) -> None:
        """`users` have rules such as ("on", ">password", "~*", "+@all")."""
        self.tls_port = free_port()
        rules = [part for name, rules in users.items() for part in ("--user", name, *rules)]
        super().__init__(
            (
                *("--tls-port", str(self.tls_port), "--tls-auth-clients", "yes"),
                *("--tls-cert-file", str(server.cert), "--tls-key-file", str(server.key)),
                *("--tls-ca-cert-file", str(authority.cert)),
                *rules,
            )
        )

    @property
    def tls_url(self) -> str:
        return f"rediss://127.0.0.1:{self.tls_port}/0"
