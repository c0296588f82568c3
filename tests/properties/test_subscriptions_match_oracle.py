"""Long histories of subscriptions, in any order within lateness, count what the oracle counts."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.counters import measures
from stream.counters.measures import Grain
from stream.history.customer_days import CustomerDays
from stream.history.subscriptions import Subscription
from stream.settings.application import ChurnSettings, Settings
from tests.oracle import customers as oracle
from tests.oracle.money import person_of, segments_of
from tests.oracle.movements import Customer, customers
from tests.oracle.terms import EventDict, Segment
from tests.oracle.time import Wall
from tests.properties.engine import EVERYONE, Worker
from tests.properties.inputs.traffic import DAY_MS, MINUTE_MS, Sent, logs_of, moments

DIMENSIONS = ("country",)
LATE_MS = DAY_MS + 5 * MINUTE_MS
KINDS = ("started", "changed", "changed", "renewed", "renewed", "cancelled", "ended")
MOVES = {
    "new": measures.MRR_NEW_MICROS,
    "expansion": measures.MRR_EXPANDED_MICROS,
    "contraction": measures.MRR_CONTRACTED_MICROS,
    "churn": measures.MRR_CHURNED_MICROS,
    "reactivation": measures.MRR_REACTIVATED_MICROS,
}
COUNTED = {
    measures.CUSTOMERS_CHANGE, measures.CUSTOMER_STARTS, measures.CUSTOMER_ENDS,
    measures.FIRST_STARTS, measures.INVOLUNTARY_ENDS, measures.MRR_CHANGE_MICROS, *MOVES.values(),
    measures.LOST_30D, measures.LOST_MONTH, measures.LOST_INVOLUNTARY_30D,
    measures.LOST_INVOLUNTARY_MONTH, measures.UNMATCHED_EVENTS,
}  # fmt: skip
#: (measure, segment, day; 0 for a total) → count
Counts = Counter[tuple[str, Segment, int]]


def history(seed: int, base_ms: int, *, events: int, days: int, names: int) -> list[Sent]:
    """Return the events of one person's subscriptions, each at an instant of its own."""
    chance = Random(seed)
    found = []
    for number in range(events):
        kind = chance.choice(KINDS)
        # Some days are crowded, and some instants are midnight.
        day = chance.choice([chance.randrange(days), chance.randrange(days), days // 2])
        time_ms = base_ms + day * DAY_MS + chance.choice([0, chance.randrange(DAY_MS)])
        event: EventDict = {
            "type": f"subscription_{kind}",
            "event_id": f"e{number}",
            "user_id": "u",
            "subscription_id": f"s{chance.randrange(names)}",
            "event_time": time_ms // 10_000 * 10_000 + number % 10_000,
        }
        optional: dict[str, Sequence[Any]] = {
            "started": {"mrr": [0, 9.99, 20], "trial": [False, True]},
            "changed": {"mrr": [0, 5, 30], "trial": [None, None, True, False]},
            "renewed": {"mrr": [None, None, 12]},
            "cancelled": {"effective_at": [None, -1, 1, 40, 500], "reason": [None, "unpaid"]},
            "ended": {"reason": [None, "unpaid"]},
        }[kind]  # type: ignore[assignment]
        event |= {name: chance.choice(values) for name, values in optional.items()}  # type: ignore[attr-defined]
        if event.get("effective_at") is not None:
            event["effective_at"] = event["event_time"] + event["effective_at"] * DAY_MS
        country = chance.choice([None, "DE", "FR"])
        event["context"] = {"country": country} if country else None
        event = {name: value for name, value in event.items() if value is not None}
        found.append(Sent(event, "u", "subscriptions", chance.randrange(LATE_MS)))
    return found


def counted(sent: Sequence[Sent], config: Settings, chance: Random, crashes: bool = True) -> Counts:
    """Return what the engine counts, with checkpoints and crashes in between."""
    [log] = logs_of(sent, 1)
    # A topic without events would hold back what is settled.
    own_log = {"subscriptions": log["subscriptions"]}
    worker = Worker(0, own_log, config, EVERYONE, now_ms=1 << 60)
    while worker.read("subscriptions", chance.randrange(1, 60)):
        if crashes:
            worker.act((chance.choice(["close", "checkpoint", "checkpoint", "crash"]), 0, 0))
    worker.finish()
    assert worker.outcomes()["applied"] == len(sent)
    counts: Counts = Counter()
    for (grain, day), part in worker.parts():
        for (measure, segment), count in part.items():
            is_kept = grain is (Grain.ALL if measure == measures.UNMATCHED_EVENTS else Grain.DAY)
            if measure in COUNTED and count and is_kept:
                counts[measure, segment, day] += count
    return counts


def expected(sent: Sequence[Sent], config: Settings) -> Counts:
    """Return what the oracle counts."""
    events = [one.event | {"ms": one.event["event_time"]} for one in sent]
    wall, counts = Wall(config.timezone), Counts()
    free = not config.churn.free_is_churn
    for segment, found in customers(events, wall, DIMENSIONS, free).items():
        for customer in found:
            for measure, day, count in _of(customer, wall):
                counts[measure, segment, day] += count
    by_name: dict[tuple[str, str], list[EventDict]] = {}
    for event in events:
        by_name.setdefault((person_of(event), event["subscription_id"]), []).append(event)
    for own_events in by_name.values():
        for event in oracle.unmatched(own_events):
            for segment in segments_of(event, DIMENSIONS):
                counts[measures.UNMATCHED_EVENTS, segment, 0] += 1
    return Counts({key: count for key, count in counts.items() if count})


def _of(customer: Customer, wall: Wall) -> Iterator[tuple[str, int, int]]:
    """Yield (measure, day, count) of one customer."""
    times = [ms for p in customer.periods for ms in (p.start_ms, p.end_ms) if ms is not None]
    for day in {wall.day(ms) for ms in times}:
        after, before = (oracle.micros_at_end_of(customer.periods, d, wall) for d in (day, day - 1))
        yield measures.MRR_CHANGE_MICROS, day, after - before
        name, amount = customer.moves(day, wall)
        yield MOVES[name], day, amount
    for number, stay in enumerate(sorted(customer.stays, key=lambda stay: stay.start)):
        yield measures.CUSTOMERS_CHANGE, stay.start, 1
        yield measures.CUSTOMER_STARTS, stay.start, 1
        yield measures.FIRST_STARTS, stay.start, number == 0
        if stay.end is None:
            continue
        unwanted = stay.end in customer.involuntary
        yield measures.CUSTOMERS_CHANGE, stay.end, -1
        yield measures.CUSTOMER_ENDS, stay.end, 1
        yield measures.INVOLUNTARY_ENDS, stay.end, unwanted
        for last in range(stay.end, stay.end + 30):
            lost = oracle.is_lost(stay, last - 29, last)
            yield measures.LOST_30D, last, lost
            yield measures.LOST_INVOLUNTARY_30D, last, lost and unwanted
        [month] = wall.day_windows("month", stay.end)
        first = wall.day(month.start_ms or 0)
        lost = oracle.is_lost(stay, first, stay.end)
        yield measures.LOST_MONTH, first, lost
        yield measures.LOST_INVOLUNTARY_MONTH, first, lost and unwanted


def differences(found: Counts, wanted: Counts) -> list[str]:
    return [
        f"{key}: {found[key]}, the oracle {wanted[key]}"
        for key in sorted({*found, *wanted})
        if found[key] != wanted[key]
    ]


def settings_of(zone: str, free_is_churn: bool) -> Settings:
    churn = ChurnSettings(free_is_churn=free_is_churn)
    return Settings(timezone=zone, dimensions=DIMENSIONS, churn=churn)


@settings(max_examples=8)
@given(data=st.data())
def test_a_long_history_counts_what_the_oracle_counts(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 1 << 32))
    zone, base_ms = data.draw(moments)
    days = data.draw(st.sampled_from([3, 90, 350]))
    events, names = data.draw(st.sampled_from([(20, 1), (60, 3), (150, 2), (150, 40)]))
    sent = history(seed, base_ms, events=events, days=days, names=names)
    config = settings_of(zone, data.draw(st.booleans()))
    wrong = differences(counted(sent, config, Random(seed)), expected(sent, config))
    assert not wrong, "\n".join([f"{len(wrong)} counts", *wrong[:8]])


def _fold_nothing(self: CustomerDays, first_day: int) -> None:
    """Forget the days without counting what they amount to."""
    fold(CustomerDays(self.group), first_day)
    for days in (self._paid, self._mrr, self._ends):
        for day in [day for day in days if day < first_day]:
            del days[day]  # type: ignore[attr-defined]


def _fold_without_beginning(self: CustomerDays, first_day: int) -> None:
    fold(self, first_day)
    self.was_customer = False


def _settle_early(self: Subscription, before_ms: int) -> None:
    settle(self, before_ms + 70 * DAY_MS)


def _forget_price(self: Subscription, before_ms: int) -> None:
    settle(self, before_ms)
    self.settled = self.settled._replace(mrr_micros=0)


def _converge_at_once(self: Subscription, event: Any, key: Any) -> Any:
    """Leave the effects after the new event as they are."""
    before = list(self._effects)
    removed, added = add(self, event, key)
    place = self.events.index(event)
    self._effects[place + 1 :] = before[place:]
    return removed[:1], [self._effects[place], added[-1]]


fold, settle, add = CustomerDays.fold, Subscription.settle, Subscription.add
MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "folded days are forgotten": (CustomerDays, "fold", _fold_nothing),
    "a folded customer is a new one": (CustomerDays, "fold", _fold_without_beginning),
    "events are settled too early": (Subscription, "settle", _settle_early),
    "a settled price is forgotten": (Subscription, "settle", _forget_price),
    "later effects are not renewed": (Subscription, "add", _converge_at_once),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_customer_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(seed: int) -> list[str]:
        sent = history(seed, 1_700_000_000_000, events=50, days=350, names=3)
        config = settings_of("UTC", False)
        try:
            found = counted(sent, config, Random(seed))
        except KeyError as error:
            return [repr(error)]
        return differences(found, expected(sent, config))

    assert not any(wrong(seed) for seed in range(8))
    monkeypatch.setattr(*MUTANTS[mutant])
    assert any(wrong(seed) for seed in range(8))


@pytest.mark.parametrize("names", [1, 3_000])
def test_the_cost_of_an_event_does_not_grow_with_the_events_before(names: int) -> None:
    config = settings_of("UTC", False)

    def steps(events: int) -> int:
        # All of them are within lateness of each other, in any order.
        sent = history(7, 1_700_000_000_000, events=events, days=1, names=names)
        return calls(lambda: counted(sent, config, Random(1), crashes=False))

    assert steps(2_000) < 1.5 * 4 * steps(500)


def calls(run: Callable[[], object]) -> int:
    """Return the number of calls that the history of people makes, of Python's functions and C's."""
    found = 0

    def note(frame: FrameType, kind: str, _: object) -> None:
        nonlocal found
        found += kind in ("call", "c_call") and "/stream/history/" in frame.f_code.co_filename

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return found
