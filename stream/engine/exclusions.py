"""Whose traffic counts: bots by user agent, and internal or test traffic by what the context says."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from ua_parser import parse_device

from stream.engine.event_rules import BOT, EXCLUDED, EventRule
from stream.settings.application import Settings

#: A plan to apply instead of the event's own; None: it counts like any other.
Exclusions = Callable[[Mapping[str, str]], EventRule | None]
_USER_AGENTS_CACHED = 50_000


def build_exclusions(settings: Settings) -> Exclusions:
    """Which contexts are not counted, and what is counted in their place.

    Asked once for each distinct context, not for each event.
    """
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
        # The name that the public collection of user agents (uap-core) gives to crawlers.
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
