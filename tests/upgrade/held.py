"""Describe a shard as JSON in the words of the fixture."""

import json
from typing import Any

import msgspec

from stream.engine.shard import Shard
from stream.people.person import Person
from stream.sessions.session import Session
from stream.store.shards import Store


def shard_held(shard: Shard) -> Any:
    """Describe a shard without its people and its dead letters."""
    risk = shard.churn_risk
    assert risk is not None
    return _as_json({
        "watermark": shard.watermark,
        "open_sessions": shard.sessions.open.number,
        "reopened": shard.sessions.open.reopened,
        "topics": {
            name: [s.start, s.next, s.clock, s.seen.recall_offset, s.seen.recall_clock, s.counts,
                   s.reasons]
            for name, s in shard.topics.items()
        },
        "series": {i: list(one) for i, one in shard.registry.series.items()},
        "buckets": {
            f"{int(grain)}:{index}": {i: str(n) for i, n in counts.items()}
            for grain, table in shard.counters.tables.items()
            for index, counts in table.items()
        },
        "risk": msgspec.to_builtins(risk.stored()),
    })  # fmt: skip


async def people_held(store: Store, partition: int, keys: list[str]) -> Any:
    """Describe the people of these keys as a batch reads them."""
    people = await store.read_people(partition, keys)
    return {key: _as_json(_person(one)) for key, one in zip(keys, people, strict=True)}


def _person(person: Person) -> Any:
    hours = person.hours
    marks = (person.active, person.live, person.clicked, *([] if hours is None else [hours]))
    return {
        "marks": [
            [[list(ids), *mark] for mark, ids in one.items()] if one else [] for one in marks
        ],
        "sessions": [_session(session) for session in person.sessions],
        "subscriptions": person.subscriptions,
        "history": person.history,
    }


def _session(s: Session) -> Any:
    path = s.page_path
    pings = None if path is None else path.page_pings
    return [
        s.sid.hex() if isinstance(s.sid, bytes) else s.sid,
        [s.start, s.end, s.segment_set_id, s.page_views, s.actions, s.marks],
        [s.interactive, s.real, s.closed, s.joined, s.platform, s.campaign],
        None if path is None else [
            path.entry_ms, path.entry_page, path.second_ms, path.exit_ms, path.exit_page,
            sorted(path.looks.items()), sorted(view[:2] for view in path.path),
        ],
        None if pings is None else [
            sorted(view.hex() for view in pings.views),
            sorted((view.hex(), page, time_ms) for view, page, time_ms in pings.beats),
            sorted((view.hex(), page, n) for (view, page), n in pings.depths.items()),
        ],
    ]  # fmt: skip


def _as_json(value: Any) -> Any:
    """Turn tuples into lists, and mapping keys and bytes into texts."""
    return json.loads(json.dumps(value, default=bytes.hex))
