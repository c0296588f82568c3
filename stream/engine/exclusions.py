"""Exclusions: bots by their user agent, and internal or test traffic by fields of the context."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from stream.engine.event_rules import BOT, EXCLUDED, EventRule
from stream.settings.application import Settings

#: Returns the event rule for a context, in place of that of the event's type; None: it is not excluded.
Exclusions = Callable[[Mapping[str, str]], EventRule | None]
_USER_AGENTS_CACHED = 50_000
#: Tag of the public list for libraries by which apps and servers send what people do.
_LIBRARY = "http-library"
_ESCAPED = re.compile(r"\\([^a-zA-Z0-9])")
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")


class _PublicList(NamedTuple):
    """The public list of bots: texts that a user agent holds, and one expression for all others."""

    texts: tuple[str, ...]
    others: re.Pattern[str]


@cache
def _public_list(http_libraries: bool) -> _PublicList:
    """Read the list. Nearly all of its expressions are plain texts, which are found far faster."""
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA

    expressions = [
        str(entry["pattern"])
        for entry in CRAWLER_USER_AGENTS_DATA
        if http_libraries or _LIBRARY not in entry.get("tags", ())
    ]
    others = [one for one in expressions if _SPECIAL.search(_ESCAPED.sub("", one))]
    texts = [_ESCAPED.sub(r"\1", one) for one in expressions if one not in others]
    return _PublicList(tuple(texts), re.compile("|".join(others)))


class _Bots:
    """Tests of a user agent, by `bots.patterns` and by the public list of bots."""

    def __init__(self, patterns: Iterable[str], http_libraries: bool) -> None:
        self._patterns = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
        self._list = _public_list(http_libraries)

    def include(self, user_agent: str) -> bool:
        """Whether a user agent is a bot's."""
        texts, others = self._list
        return (
            any(pattern.search(user_agent) for pattern in self._patterns)
            or any(text in user_agent for text in texts)
            or others.search(user_agent) is not None
        )


def build_exclusions(settings: Settings) -> Exclusions:
    """Build the test of contexts from `[exclude]` and `[bots]`. It is called once a distinct context."""
    field, mode = settings.bots.user_agent_field, settings.bots.mode
    # Not as a decorated inner function: mypyc does not bind such a name in another inner function.
    is_bot: Callable[[str], bool] = lru_cache(_USER_AGENTS_CACHED)(
        _Bots(settings.bots.patterns, settings.bots.http_libraries).include
    )
    internal = {
        name: [re.compile(pattern) for pattern in expressions]
        for name, expressions in settings.exclude.items()
    }

    def exclusions(context: Mapping[str, str]) -> EventRule | None:
        for name, expressions in internal.items():
            value = context.get(name)
            if value is not None and any(found.fullmatch(value) for found in expressions):
                return EXCLUDED
        if mode == "include":
            return None
        user_agent = context.get(field)
        if user_agent and is_bot(user_agent):
            return BOT if mode == "exclude" else None
        return EXCLUDED if mode == "only" else None

    return exclusions
