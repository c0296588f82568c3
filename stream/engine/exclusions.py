"""Exclusions: bots by their user agent, and internal or test traffic by fields of the context."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from ua_parser import parse_device

from stream.engine.event_rules import BOT, EXCLUDED, EventRule
from stream.settings.application import Settings

#: Returns the event rule for a context, in place of that of the event's type; None: it is not excluded.
Exclusions = Callable[[Mapping[str, str]], EventRule | None]
_USER_AGENTS_CACHED = 50_000


def build_exclusions(settings: Settings) -> Exclusions:
    """Build the test of contexts from `[exclude]` and `[bots]`. It is called once a distinct context."""
    field, mode = settings.bots.user_agent_field, settings.bots.mode
    patterns = [re.compile(pattern, re.IGNORECASE) for pattern in settings.bots.patterns]
    internal = {
        name: [re.compile(pattern) for pattern in expressions]
        for name, expressions in settings.exclude.items()
    }

    @lru_cache(_USER_AGENTS_CACHED)
    def is_bot(user_agent: str) -> bool:
        if any(pattern.search(user_agent) for pattern in patterns):
            return True
        device = parse_device(user_agent)
        # uap-core, the public collection of user agents, gives crawlers this name.
        return device is not None and device.family == "Spider"

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
