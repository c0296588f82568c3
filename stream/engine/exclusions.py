"""Exclusions: bots by their user agent, and internal or test traffic by fields of the context."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from ua_parser import parse_device

from stream.engine.event_rules import BOT, EXCLUDED, EventRule
from stream.settings.application import Settings

#: Returns the event rule for a context, in place of that of the event's type; None: it is not excluded.
Exclusions = Callable[[Mapping[str, str]], EventRule | None]
_USER_AGENTS_CACHED = 50_000


class _Bots:
    """Tests of a user agent, by `bots.patterns` and by the public collection of user agents."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]

    def include(self, user_agent: str) -> bool:
        """Whether a user agent is a bot's."""
        if any(pattern.search(user_agent) for pattern in self._patterns):
            return True
        device = parse_device(user_agent)
        # uap-core, the public collection of user agents, gives crawlers this name.
        return device is not None and device.family == "Spider"


def build_exclusions(settings: Settings) -> Exclusions:
    """Build the test of contexts from `[exclude]` and `[bots]`. It is called once a distinct context."""
    field, mode = settings.bots.user_agent_field, settings.bots.mode
    # Not as a decorated inner function: mypyc does not bind such a name in another inner function.
    is_bot: Callable[[str], bool] = lru_cache(_USER_AGENTS_CACHED)(
        _Bots(settings.bots.patterns).include
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
