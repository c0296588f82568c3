"""Tells when the values of dimensions became known: beyond their maximum that decides which ones count."""

import json
from collections.abc import Collection, Mapping, Sequence

from schemas.events import Event
from schemas.events.clicks import Click, Impression
from schemas.events.page_views import Heartbeat, PageView
from schemas.events.sessions import SessionEnd, SessionStart
from stream.counters.page_name import NAME_MAX, page_names
from stream.counters.segments import JOINT
from stream.engine.shard import Shard
from stream.report.jobs.messages import Name, Order
from stream.settings.application import Settings

#: Types that bring no name but those of their context and their page.
_PLAIN: Collection[type] = (PageView, Heartbeat, SessionStart, SessionEnd)
#: Fields whose texts may be values of dimensions.
_FIELDS = (
    "content_id", "feature", "name", "survey", "network", "post_id", "plan", "channel", "campaign",
)  # fmt: skip
#: Combinations of texts that are remembered of a site and type.
_TEXTS_MAX = 1_000


class NewNames:
    """The names of a shard, and after which event each came.

    `may_bring` is asked before an event is counted, so that such an event is counted by itself. If it
    misses one, the name is not exact, which costs time but changes no number.
    """

    def __init__(self, shard: Shard, settings: Settings) -> None:
        self._registry, self._pages = shard.registry, shard.pages
        self._page_names = page_names(settings.pages)
        self._texts: dict[tuple[str, type], set[tuple[str | None, ...]]] = {}
        #: All names as stored, by id.
        self.stored: dict[int, bytes] = {}
        self.segment_sets: list[bytes] = []
        self.names: list[Name] = []

    def unusual(self, events: Sequence[Event]) -> list[int]:
        """Return the places of all events but views of a known page in a known context."""
        contexts, pages = self._registry.lookup, self._pages.lookup
        return [
            place
            for place, event in enumerate(events)
            if type(event) is not PageView
            or event.page_url not in pages.get(event.site, _NONE)
            or event.context not in contexts.get(event.site, _NONE)
        ]

    def may_bring(self, event: Event) -> bool:
        """Whether an event may make a name known."""
        site, kind = event.site, type(event)
        if event.context not in self._registry.lookup.get(site, _NONE) and self._has_new(event):
            return True
        url = getattr(event, "page_url", None)
        if url is not None and url not in self._pages.lookup.get(site, _NONE):
            name = self._page_names.whole(url)[:NAME_MAX]
            if not self._registry.values.is_settled(site, "page", name):
                return True
        return kind not in _PLAIN and self._is_new_text(event)

    def note(self, order: Order, is_exact: bool) -> None:
        """Note the names that came with an event, or before it."""
        fresh = self._registry.take_changes()
        for name_id, raw in fresh.items():
            self.stored[name_id] = raw
            kind, site, *rest = json.loads(raw)
            if kind == "p":
                self.segment_sets.append(raw)
            elif kind == "g" and rest[0] and self._registry.values.knows(site, *rest):
                dimension, value = rest
                self.names.append(Name(site, dimension, value, order, is_exact))

    def _has_new(self, event: Event) -> bool:
        context: Mapping[str, str] = event.context or {}
        settled = self._registry.values.is_settled
        return event.site not in self._registry.lookup or any(
            (value := context.get(dimension)) and not settled(event.site, dimension, value)
            for dimension in self._registry.dimensions
        )

    def _is_new_text(self, event: Event) -> bool:
        if isinstance(event, (Impression, Click)):
            content = event.content_id
            if content is None:
                return False
            content = content.replace(JOINT, "")
            return not self._registry.values.is_settled(event.site, "content", content)
        known = self._texts.setdefault((event.site, type(event)), set())
        texts = tuple(getattr(event, field, None) for field in _FIELDS)
        if texts in known or len(known) >= _TEXTS_MAX:
            return False
        known.add(texts)
        return True


_NONE: dict[object, object] = {}
