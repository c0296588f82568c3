"""Take over the state that a worker of commit 6131ed2 stored, exactly, and go on from there."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from stream.configure.fingerprints import definition_version
from stream.engine import person_events
from stream.engine.checkpoint import STATE_VERSION
from stream.history import buyers
from stream.publish.snapshot import Snapshot, decode_snapshot, encode_snapshot
from stream.store.published import PublishedState, read_definitions
from stream.worker.publisher import Publisher
from tests.conftest import needs_river
from tests.upgrade.before import Dump, differences, put, read_before
from tests.upgrade.held import people_held, shard_held
from tests.upgrade.worker import PARTITIONS, InProcessWorker

needs_river()
BEFORE = read_before()
READ, STEPS, ENDS = BEFORE["read"], BEFORE["steps"], BEFORE["ends"]
VARIANTS = list(BEFORE["variants"])


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> Any:
    """Settings, the state stored under them, and what the old worker held in memory."""
    return BEFORE["variants"][request.param]


def new_worker(variant: Any, redis_url: str, directory: Path) -> InProcessWorker:
    return InProcessWorker(variant["settings"], redis_url, directory)


async def taken_over(variant: Any, dump: Dump, redis_url: str, directory: Path) -> InProcessWorker:
    """Start a worker on the first half of the log and the stored state."""
    put(redis_url, dump)
    worker = new_worker(variant, redis_url, directory)
    for step, end in zip(STEPS[:READ], ENDS, strict=False):
        worker.log.append(step, end)
    await worker.take_over()
    return worker


async def wrong(worker: InProcessWorker, held: Any) -> list[str]:
    """Compare what the worker holds with what the old one held."""
    found: list[str] = []
    for partition, expected in enumerate(held["shards"]):
        people = await people_held(worker.store, partition, list(expected["people"]))
        shard = {**shard_held(worker.shard(partition)), "people": people}
        found += differences({name: expected[name] for name in shard}, shard, str(partition))
    return found


async def test_it_holds_what_the_old_worker_held(
    variant: Any, redis_url: str, tmp_path: Path
) -> None:
    async with await taken_over(variant, variant["keys"], redis_url, tmp_path) as worker:
        assert await wrong(worker, variant["held"]) == []
        for partition, expected in enumerate(variant["held"]["shards"]):
            shard, claim = worker.shard(partition), worker.claim(partition)
            tag = next(key for key in variant["keys"] if key.endswith(f":{partition}}}:meta"))
            stored = variant["keys"][tag]
            assert claim.incarnation == stored["incarnation"]
            assert claim.epoch == int(stored["epoch"]) + 1  # The old one is fenced off.
            assert claim.sequence == expected["sequence"] <= shard.sequence
            assert expected["people"] and expected["open_sessions"]
            # Its workers would misread what this one stores: they refuse the shard from now on.
            with redis.Redis.from_url(redis_url) as client:
                assert stored["version"] == "2"
                assert client.hget(tag, "version") == str(STATE_VERSION).encode()
            # The ids of the last minutes are not stored: they are read again from the log.
            assert any(topic.expected < topic.next for topic in shard.topics.values())


async def test_it_goes_on_as_one_that_has_read_the_log_from_its_beginning(
    variant: Any, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await taken_over(variant, variant["keys"], redis_url, tmp_path) as worker:
        for step, end in zip(STEPS[READ:], ENDS[READ:], strict=True):
            await worker.read(step, end)
        goes_on = await worker.stored_counts()
        shards = [shard_held(worker.shard(p)) for p in range(PARTITIONS)]
    put(redis_url, {})
    async with new_worker(variant, redis_url, tmp_path) as worker:
        await worker.take_over()
        # What the old worker has counted keeps the effect that it had then.
        monkeypatch.setattr(person_events, "EDITION", 0)
        monkeypatch.setattr(buyers, "UNMATCHED_EVENTS", "not counted then")
        for step, end in zip(STEPS[:READ], ENDS[:READ], strict=True):
            await worker.read(step, end)
        monkeypatch.undo()
        for step, end in zip(STEPS[READ:], ENDS[READ:], strict=True):
            await worker.read(step, end)
        assert differences(await worker.stored_counts(), goes_on) == []
        for partition, found in enumerate(shards):
            held = shard_held(worker.shard(partition))
            # A new owner closes sessions one tick later, so fewer of them are reopened.
            for name in ("watermark", "open_sessions", "topics", "risk"):
                assert differences(held[name], found[name], name) == []


async def test_it_publishes_the_same_numbers_under_a_higher_revision(
    variant: Any, redis_url: str, tmp_path: Path
) -> None:
    async with await taken_over(variant, variant["keys"], redis_url, tmp_path) as worker:
        state = PublishedState(worker.client, worker.store, worker.settings.app, PARTITIONS)
        raw = await state.snapshot()
        assert raw is not None
        published = decode_snapshot(raw)
        version = definition_version(worker.settings)
        publisher = Publisher(state, worker.metrics, worker.rules, version)
        snapshot = await publisher.refresh(ENDS[READ - 1] + 1_000)
        # Counters that the old worker did not have begin at 0.
        known = {total.measure for total in published.counts}
        assert all(total.value == 0 for total in snapshot.counts if total.measure not in known)
        kept = [total for total in snapshot.counts if total.measure in known]
        # So do the gauges of metrics that are new.
        shown = {gauge.metric for gauge in published.gauges}
        assert not any(gauge.value for gauge in snapshot.gauges if gauge.metric not in shown)
        gauges = [gauge for gauge in snapshot.gauges if gauge.metric in shown]
        before = msgspec.structs.replace(snapshot, counts=kept, gauges=gauges)
        assert differences(_numbers(published), _numbers(before)) == []
        for _ in publisher.due_records(snapshot):
            pass
        assert publisher.progress is not None
        assert publisher.progress.revision > variant["held"]["revision"] > 0
        claim = worker.claim(0)
        await state.publish(claim.epoch, publisher.progress, encode_snapshot(snapshot))
        definitions = await read_definitions(worker.client, worker.store)
        # A worker that starts adds the metrics that are new.
        assert definitions.keys() <= {metric.name for metric in worker.metrics}
        assert len(definitions) > 100


async def test_it_sends_the_dead_letters_that_the_old_worker_has_not_sent(
    variant: Any, redis_url: str, tmp_path: Path
) -> None:
    waiting = [one for shard in variant["held"]["shards"] for one in shard["dead_letters"]]
    assert waiting
    async with await taken_over(variant, variant["keys"], redis_url, tmp_path) as worker:
        sent = await worker.send_dead_letters()
    assert sorted(entry.decode("latin-1") for entry in sent) == sorted(waiting)


def _numbers(snapshot: Snapshot) -> Any:
    """Reduce a snapshot to what follows from the counts, in a fixed order."""
    found = msgspec.to_builtins(snapshot)
    for name in ("taken_ms", "revision", "records"):
        del found[name]
    # Amounts are rounded once since: the last digits of a float may differ.
    for gauge in found["gauges"]:
        gauge[-1] = None if gauge[-1] is None else round(gauge[-1], 9)
    return {
        name: sorted(value) if isinstance(value, list) else value for name, value in found.items()
    }


# ---- the comparison notices a single changed value


def _hash(dump: Dump, part: str) -> dict[str, str]:
    """Find the first hash with this part in its key."""
    found: dict[str, str] = next(dump[key] for key in sorted(dump) if part in key)
    return found


def _count(dump: Dump) -> None:
    counts = _hash(dump, ":c:d")
    series = min(counts)
    counts[series] = str(int(counts[series]) + 1)


def _bucket(dump: Dump) -> None:
    changed = next(dump[key] for key in sorted(dump) if key.endswith(":changed"))
    changed.pop()


def _person(dump: Dump) -> None:
    people = _hash(dump, ":people")
    who = min(people)
    people[who] = people[who][:-1] + chr(ord(people[who][-1]) ^ 1)


def _name(dump: Dump) -> None:
    names = _hash(dump, ":names")
    series = next(i for i in sorted(names) if names[i].startswith('["s"'))
    names[series] = names[series].replace('["s","', '["s","x')


def _open_session(dump: Dump) -> None:
    _hash(dump, ":open").popitem()


def _in_state(change: Callable[[list[Any]], None]) -> Callable[[Dump], None]:
    """Change the part that every checkpoint stores whole."""

    def mutate(dump: Dump) -> None:
        meta = _hash(dump, ":meta")
        state = msgspec.msgpack.decode(meta["state"].encode("latin-1"))
        change(state)
        meta["state"] = msgspec.msgpack.encode(state).decode("latin-1")

    return mutate


def _next_offset(state: list[Any]) -> None:
    state[0]["clicks"][1] -= 1


def _recall_offset(state: list[Any]) -> None:
    state[0]["page-views"][3] -= 1


def _watermark(state: list[Any]) -> None:
    state[1] += 1


MUTANTS = {
    "a count": _count,
    "a bucket that is not listed": _bucket,
    "the last bit of a person": _person,
    "a name": _name,
    "an open session": _open_session,
    "a next offset": _in_state(_next_offset),
    "an offset to recall ids from": _in_state(_recall_offset),
    "the watermark": _in_state(_watermark),
}


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_a_single_changed_value_is_noticed(
    mutant: str, redis_url: str, tmp_path: Path
) -> None:
    variant = BEFORE["variants"][VARIANTS[0]]
    dump = copy.deepcopy(variant["keys"])
    MUTANTS[mutant](dump)
    assert dump != variant["keys"]
    async with await taken_over(variant, dump, redis_url, tmp_path) as worker:
        try:
            found = await wrong(worker, variant["held"])
        except (msgspec.DecodeError, ValueError, KeyError) as error:
            found = [repr(error)]
    assert found
