"""Goals, features, funnels, carts and own measures match the oracle for any order, batches and crashes."""

import dataclasses
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.outputs import WindowKind
from stream.history import funnel_attempts, replay
from stream.history.cart_outcomes import ORDERED, KnownCarts
from stream.history.contributions import Contributions
from stream.history.distinct_days import DistinctDays
from stream.history.funnel_attempts import Attempts
from stream.history.groups import Groups
from stream.metrics.themes import experiments, goals
from stream.settings.application import Settings
from stream.settings.definitions import ConversionSettings
from tests.oracle.experiments import NORMAL, STATISTICS, VARIANTS
from tests.oracle.goals import EventDict
from tests.oracle.goals_numbers import ExpectedNumbers, config, wrong_numbers
from tests.oracle.log import accepted
from tests.properties.checking import verdicts_of
from tests.properties.engine import EVERYONE, Action, LogRecord, final_records, run
from tests.properties.inputs.traffic import DAY_MS, MINUTE_MS, Sent, logs_of, moments, schedules

KINDS: tuple[WindowKind, ...] = (
    "day", "week", "month", "trailing_7d", "trailing_28d", "trailing_30d", "all",
)  # fmt: skip
HORIZON_MS = DAY_MS + 5 * MINUTE_MS
DAYS = (0, 0, 0, 1, 2, 3, 26, 27, 28, 29, 30, 33, 60)
METRICS = {
    "conversion_rate", "session_conversion_rate", "feature_usage_rate", "funnel_people",
    "funnel_conversion", "funnel_step_conversion", "cart_abandonment_rate", "recovered_carts",
    "wishes_per_person", "wisher_share", "worth", *STATISTICS,
}  # fmt: skip
_event = st.one_of(
    st.sampled_from("aabbcd").map(lambda name: {"type": "custom", "name": name}),
    st.just({"type": "custom", "name": "ab"}),
    st.sampled_from(["signup", "order"]).map(lambda name: {"type": "goal", "name": name}),
    st.sampled_from(["export", "search"]).map(lambda f: {"type": "feature_used", "feature": f}),
    st.just({"type": "page_view"}),
    st.just({"type": "heartbeat", "page_url": "/"}),
)
_cart = st.builds(
    lambda kind, cart: {"type": kind} | ({"cart_id": cart} if cart else {}),
    st.sampled_from(
        ["add_to_cart", "add_to_cart", "remove_from_cart", "checkout_started", "order"]
    ),
    st.sampled_from([None, None, "x", "y"]),
)


start_events = st.sampled_from(["add_to_cart", "checkout_started"])


@st.composite
def sent(draw: st.DrawFn, base_ms: int, number: int, days: Sequence[int], delay_ms: int) -> Sent:
    """Draw an event with an instant of its own: its number is in the last digits."""
    account = draw(st.sampled_from("aab"))
    event: EventDict = dict(draw(st.one_of(_event, _cart)))
    near = draw(st.sampled_from([0, 1, 20, 30, 24 * 60]) | st.integers(0, 30 * 60))
    event |= {
        "event_id": f"e{number}",
        "event_time": base_ms + draw(st.sampled_from(days)) * DAY_MS + near * MINUTE_MS + number,
        "user_id": f"user-{account}",
        "session_id": draw(st.sampled_from(["s", "t"])),
        "site": draw(st.sampled_from(["default", "default", "default", "shop"])),
    }
    if event["type"] == "order":
        event |= {"order_id": f"o{number}", "revenue": draw(st.sampled_from([0, 0.1, 30]))}
    country = draw(st.sampled_from([None, "DE", "FR"]))
    variant = draw(st.sampled_from([None, *VARIANTS]))
    pairs = {"country": country, "variant": variant}
    if context := {name: value for name, value in pairs.items() if value}:
        event["context"] = context
    return Sent(event, account, "clicks", draw(st.integers(0, delay_ms)))


@st.composite
def traffic(draw: st.DrawFn, base_ms: int, delay_ms: int) -> list[Sent]:
    days = draw(st.sampled_from([(0,), (0, 1), DAYS]))
    count = draw(st.integers(1, 24))
    return [draw(sent(base_ms, number, days, delay_ms)) for number in range(count)]


def check(
    logs: list[dict[str, list[LogRecord]]],
    settings: Settings,
    schedule: Sequence[Action] = (),
    people_cached: int = EVERYONE,
) -> list[str]:
    workers = run(logs, settings, schedule, people_cached=people_cached)
    expected = ExpectedNumbers(accepted(verdicts_of(logs, settings)), settings)
    return wrong_numbers(final_records(workers, settings, KINDS, METRICS), expected)


@settings(max_examples=12)
@given(data=st.data())
def test_order_batches_shards_and_crashes_change_no_number(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    events = data.draw(traffic(base_ms, data.draw(st.sampled_from([0, HORIZON_MS]))))
    basis = data.draw(st.sampled_from(["cart", "cart", "user", "session"]))
    denominator = data.draw(st.sampled_from(["active", "all_known", "eligible"]))
    feature = {
        "window_days": data.draw(st.sampled_from([7, 28, 30])),
        "denominator": denominator,
        "eligible": "wishers" if denominator == "eligible" else "",
    }
    conversion = ConversionSettings(
        basis=data.draw(st.sampled_from(["user", "session"])),  # type: ignore[arg-type]
        count=data.draw(st.sampled_from(["once", "every"])),  # type: ignore[arg-type]
    )
    logs = logs_of(events, data.draw(st.sampled_from([1, 2, 4])))
    wrong = check(
        logs,
        config(zone, basis, conversion, data.draw(start_events), **feature),
        data.draw(schedules),
        data.draw(st.sampled_from([2, EVERYONE])),
    )
    assert not wrong, "\n".join([f"{len(wrong)} numbers", *wrong[:8]])


def _seeded(chance: random.Random, number: int) -> Sent:
    """Return an event of one of six people within four days, so that every case occurs."""
    name = chance.choice(["a", "a", "b", "c", "ab"])
    kind = chance.choice(
        ["custom", "custom", "custom", "add_to_cart", "add_to_cart", "order", "goal"]
    )
    account = chance.choice("abcdef")
    event: EventDict = {
        "type": kind,
        "event_id": f"e{number}",
        "event_time": 1_710_000_000_000 + chance.randrange(4 * 24 * 60) * MINUTE_MS + number,
        "user_id": f"user-{account}",
        "session_id": "s",
        "context": {
            "country": chance.choice(["DE", "FR"]),
            # Some people see two variants, one after the other.
            "variant": VARIANTS["abcdef".index(account) % 2 + (number % 5 == 0)],
        },
    }
    more = {
        "custom": {"name": name},
        "order": {"order_id": f"o{number}"},
        "goal": {"name": "signup"},
    }
    return Sent(event | more.get(kind, {}), account, "clicks", chance.randrange(HORIZON_MS))


def _seeded_logs() -> list[dict[str, list[LogRecord]]]:
    chance = random.Random(20240310)
    return logs_of([_seeded(chance, number) for number in range(70)], 2)


def test_a_larger_run_with_crashes_matches_the_oracle() -> None:
    chance = random.Random(7)
    actions = ("read", "read", "read", "checkpoint", "lost", "crash")
    schedule: list[Action] = [
        (chance.choice(actions), 1, chance.randrange(1, 9)) for _ in range(60)
    ]
    assert check(_seeded_logs(), config("Europe/Berlin", "cart"), schedule, 2) == []


def _orders_close_no_cart(self: KnownCarts, entry: Any, *given: Any) -> None:
    if entry[2] != ORDERED:
        _take(self, entry, *given)


def _shared_days(self: DistinctDays, group: Any) -> DistinctDays:
    found = DistinctDays(group, self._windows)
    found._ordered, found._held = self._ordered, self._held
    return found


_during = Contributions.during
_begun, _carts, _reached, _sample = (
    Attempts.begins, KnownCarts.__init__, goals.reached_goals, experiments._sample,
)  # fmt: skip
_advanced, _take, _count = Attempts.advanced, KnownCarts.take, DistinctDays._count
MUTANTS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "a funnel without a time limit": (
        Attempts, "advanced",
        lambda self, attempt, time_ms, steps: _advanced(
            Attempts(self.steps, 1 << 60, self.order), attempt, time_ms, steps
        ),
    ),
    "carts that wait a day longer": (
        KnownCarts, "__init__",
        lambda self, rules, registry: _carts(
            self, rules._replace(timeout_ms=2 * DAY_MS), registry
        ),
    ),
    "orders that close no cart": (KnownCarts, "take", _orders_close_no_cart),
    "people counted once a day in 28": (
        DistinctDays, "_count",
        lambda self, counts, place, day, by: _count(
            DistinctDays(self.group, self._windows), counts, 0, day, by
        ),
    ),
    "windows that end a day late": (
        Contributions, "during",
        lambda self, measure, group, first, last, count: _during(
            self, measure, group, first, last + 1, count
        ),
    ),
    "a group that is not split": (Groups, "_part", lambda self, state, *given: state),
    "a part of a group that forgets its days": (
        DistinctDays, "copy", lambda self, group: self.new(group),
    ),
    "a part of a group whose days stay those of the whole": (
        DistinctDays, "copy", _shared_days,
    ),
    "orders that are no goal": (
        goals, "reached_goals",
        lambda by_type, event: [name for name in _reached(by_type, event) if name != "order"],
    ),
    "goals without variants": (
        goals.Goals, "_with_variants", lambda self, segment_set, own, registry: [segment_set, *own],
    ),
    "a fixed number of people in each variant": (
        experiments, "_sample",
        lambda reader, span: _sample(reader, span)._replace(people=len(VARIANTS)),
    ),
    "an interval by the usual deviation": (
        experiments, "interval",
        lambda k, n, confidence: (k / n - 2 * (k * (n - k) / n**3) ** 0.5, 1.0) if n else None,
    ),
    "a test whose shares are not pooled": (
        experiments, "p_value",
        lambda a, n, b, m: (
            2 * NORMAL.cdf(-abs(a / n - b / m) / _deviation(a, n, b, m)) if n and m else None
        ),
    ),
    "the first attempt instead of the best": (
        Attempts, "begins",
        lambda self, steps: _begun(dataclasses.replace(self, order="ordered"), steps),
    ),
    "an attempt that forgets the others of its day": (
        funnel_attempts, "_last_of_each", lambda attempts, steps: attempts[-1:],
    ),
    "an event before others that is lost": (
        replay.Replay, "_insert", lambda self, place, entry, counts: None,
    ),
}  # fmt: skip


def _deviation(a: float, n: float, b: float, m: float) -> float:
    return float((a * (n - a) / n**3 + b * (m - b) / m**3) ** 0.5) or 1.0


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutants_are_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*MUTANTS[mutant])
    assert check(_seeded_logs(), config("Europe/Berlin", "cart"))
