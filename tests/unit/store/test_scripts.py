"""A script is sent whole only to a Redis that does not know it."""

from typing import Any

from redis.exceptions import NoScriptError

from stream.store.scripts import Script


class Redis:
    """Knows the scripts that were sent to it whole."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self._known = False

    async def execute_command(self, *arguments: Any, **_: Any) -> bytes:
        self.calls.append(arguments)
        if arguments[0] == "EVALSHA" and not self._known:
            raise NoScriptError
        self._known = True
        return b"OK"


async def test_it_is_sent_whole_once_and_by_its_digest_afterwards() -> None:
    redis, script = Redis(), Script("return 'OK'")
    for _ in range(2):
        assert await script.run(redis, ["a", "b"], 7, b"c") == b"OK"
    digest = redis.calls[0][1]
    assert len(digest) == 40
    assert redis.calls == [
        ("EVALSHA", digest, 2, "a", "b", 7, b"c"),
        ("EVAL", "return 'OK'", 2, "a", "b", 7, b"c"),
        ("EVALSHA", digest, 2, "a", "b", 7, b"c"),
    ]
