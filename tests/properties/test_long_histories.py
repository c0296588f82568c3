"""Hundreds to thousands of events of one person, in any order within lateness: every number is the oracle's."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.settings.application import Settings
from stream.settings.definitions import CartSettings
from tests.oracle import goals as oracle_goals
from tests.oracle import long_funnels as oracle_funnels
from tests.oracle import money as oracle_money
from tests.oracle import service as oracle_service
from tests.oracle.log import accepted
from tests.oracle.terms import Answers, EventDict
from tests.oracle.time import Wall
from tests.properties.checking import verdicts_of
from tests.properties.compare import choices_of, differences, published
from tests.properties.engine import EVERYONE, final_records, run
from tests.properties.inputs.chosen_funnels import FITS, FUNNELS, WINDOW_DAYS
from tests.properties.inputs.traffic import DAY_MS, MINUTE_MS, Sent, logs_of
from tests.properties.test_money_matches_oracle import DIMENSIONS, METRICS, config_for

BASE_MS = 1_711_300_000_000
HORIZON_MS = DAY_MS + 5 * MINUTE_MS
KINDS = ("day", "trailing_28d", "month", "all")
Chance = random.Random


def _order(chance: Chance, number: int, of: int) -> EventDict:
    kind = "refund" if chance.random() < 0.3 else "order"
    order_id = f"o{chance.randrange(of)}"
    return {"type": kind, "order_id": order_id, "revenue": chance.choice([1, 9.99, 60])}


def _answer(chance: Chance, number: int, of: int) -> EventDict:
    event = {"type": "survey_response", "survey": chance.choice(["nps", "csat"])}
    event |= {"score": chance.randrange(1, 6)}
    return event | ({"response_id": f"r{chance.randrange(of)}"} if chance.random() < 0.5 else {})


def _ticket(chance: Chance, number: int, of: int) -> EventDict:
    kind = chance.choice(["opened", "message", "message", "resolved", "reopened"])
    event = {"type": f"ticket_{kind}", "ticket_id": f"t{chance.randrange(of // 5)}"}
    return event | (
        {"direction": chance.choice(["incoming", "outgoing"])} if kind == "message" else {}
    )


def _cart(chance: Chance, number: int, of: int) -> EventDict:
    kind = chance.choice(
        ["add_to_cart", "add_to_cart", "remove_from_cart", "checkout_started", "order"]
    )
    event = {"type": kind} | ({"order_id": f"o{number}"} if kind == "order" else {})
    return event | ({"cart_id": f"c{chance.randrange(of // 4)}"} if chance.random() < 0.8 else {})


def _step(chance: Chance, number: int, of: int) -> EventDict:
    if chance.random() < 0.02:
        return {"type": "feature_used", "feature": "export"}
    return {"type": "custom", "name": chance.choice(["a", "a", "a", "b", "ab", "c", "d", "e"])}


def sent(
    chance: Chance,
    one: Callable[[Chance, int, int], EventDict],
    number: int,
    days: int,
    delay_ms: int,
) -> list[Sent]:
    """Return events of one person, each at an instant of its own."""
    found = []
    for place in range(number):
        event = one(chance, place, number)
        time_ms = BASE_MS + chance.randrange(days * DAY_MS) // 10_000 * 10_000 + place
        event |= {"event_id": f"e{place}", "event_time": time_ms, "user_id": "kiosk"}
        event |= {"session_id": chance.choice("st")}
        if context := chance.choice([None, {"country": "DE"}, {"country": "FR", "channel": "ads"}]):
            event["context"] = context
        found.append(Sent(event, "kiosk", "clicks", chance.randrange(delay_ms + 1)))
    return found


def histories(size_max: int) -> st.SearchStrategy["History"]:
    """Return a source of chance, how many events arrive, over how many days, and how late they may be."""
    # An event far out of order replays the carts and funnels of those after it.
    far_max = min(size_max, 1_000)
    return st.builds(
        lambda seed, size, days, delay_ms: (
            Chance(seed), min(size, far_max if delay_ms == HORIZON_MS else size_max), days, delay_ms
        ),
        st.integers(0, 1 << 30),
        st.sampled_from([300, 1_000, 5_000]),
        st.sampled_from([1, 4, 60]),
        st.sampled_from([0, 5 * MINUTE_MS, HORIZON_MS]),
    )  # fmt: skip


History = tuple[Chance, int, int, int]
schedules = st.sampled_from([[], [("read", 0, 700), ("checkpoint", 0, 0), ("crash", 0, 0)] * 4])
MONEY: dict[str, Callable[[Chance, int, int], EventDict]] = {
    "orders": _order, "surveys": _answer, "tickets": _ticket,
}  # fmt: skip


def _answers(aggregate: str, events: Sequence[EventDict], config: Settings) -> Answers:
    wall = Wall(config.timezone)
    if aggregate == "orders":
        return oracle_money.orders(events, wall, DIMENSIONS)
    days = [wall.day(event["ms"]) for event in events]
    if aggregate == "tickets":
        return oracle_service.support(
            events,
            wall,
            DIMENSIONS,
            range(min(days), max(days) + 1),
            every=False,
            at_opening=False,
            bots=False,
        )
    latest = config.survey.dedupe == "latest_per_user"
    return oracle_service.surveys(
        events,
        wall,
        DIMENSIONS,
        latest=latest,
        shown=False,
        days=config.survey.window_days,
        easiest=(),
    )


@pytest.mark.parametrize("aggregate", MONEY)
@settings(max_examples=2)
@given(
    history=histories(2_000), schedule=schedules, dedupe=st.sampled_from(["all", "latest_per_user"])
)
def test_every_number_of_a_long_history_matches_the_oracle(
    aggregate: str, history: History, schedule: Any, dedupe: str
) -> None:
    chance, *size = history
    config = config_for("Europe/Berlin", dedupe=dedupe)
    logs = logs_of(sent(chance, MONEY[aggregate], *size), 1)
    workers = run(logs, config, schedule, people_cached=EVERYONE)
    names = METRICS[aggregate]
    found = published(final_records(workers, config, KINDS, names))
    expected = _answers(aggregate, accepted(verdicts_of(logs, config)), config)
    answered = {key: answer for key, answer in expected.items() if any(answer)}
    wrong = differences(found, answered, choices_of(config), metrics=names, kinds=KINDS)
    assert len(answered) > 20
    assert not wrong, "\n".join([f"{len(wrong)} numbers", *wrong[:8]])


def _numbers(
    workers: Any, config: Settings, metrics: set[str]
) -> dict[Any, tuple[float, float | None]]:
    """Return (numerator, denominator) by metric, window start and step, without what is empty."""
    found = {}
    for record in final_records(workers, config, ("day", "all"), metrics):
        step = record.dimensions.get("step", "")
        if record.dimensions and not step:
            continue
        label = f"{record.dimensions['funnel']} {step}" if step else ""
        number = record.numerator or 0, record.denominator
        if any(number):
            found[record.metric, (record.window.start or "")[:10], label] = number
    return found


@settings(max_examples=3)
@given(
    history=histories(5_000),
    schedule=schedules,
    basis=st.sampled_from(["cart", "user"]),
    start=st.sampled_from(["add_to_cart", "checkout_started"]),
)
def test_every_cart_of_a_long_history_matches_the_oracle(
    history: History, schedule: Any, basis: str, start: str
) -> None:
    chance, *size = history
    config = Settings(cart=CartSettings(basis=basis, start_event=start))  # type: ignore[arg-type]
    logs = logs_of(sent(chance, _cart, *size), 1)
    workers = run(logs, config, schedule, people_cached=EVERYONE)
    found = _numbers(workers, config, {"cart_abandonment_rate", "recovered_carts"})
    events = accepted(verdicts_of(logs, config))
    days: Counter[tuple[str, str]] = Counter()
    for cart in oracle_goals.cart_outcomes(events, basis == "user", start):
        for day in ("", _day(cart.ms)):
            days[cart.outcome, day] += 1
    expected: dict[Any, tuple[float, float | None]] = {}
    for day in {day for _, day in days}:
        left, ordered = days["abandoned", day], days["ordered", day]
        if left + ordered:
            expected["cart_abandonment_rate", day, ""] = left, left + ordered
        if days["recovered", day]:
            expected["recovered_carts", day, ""] = days["recovered", day], None
    assert expected
    assert found == expected


@settings(max_examples=3)
@given(history=histories(600), schedule=schedules)
def test_every_funnel_of_a_long_history_matches_the_oracle(history: History, schedule: Any) -> None:
    chance, size, *rest = history
    config = Settings(funnels=FUNNELS)
    logs = logs_of(sent(chance, _step, size, *rest), 1)
    workers = run(logs, config, schedule, people_cached=EVERYONE)
    found = _numbers(workers, config, {"funnel_people"})
    events = sorted(accepted(verdicts_of(logs, config)), key=lambda event: event["ms"])
    expected: dict[Any, tuple[float, float | None]] = {}
    for name, funnel in FUNNELS.items():
        attempts = oracle_funnels.attempts(
            events, FITS, funnel.order, WINDOW_DAYS * DAY_MS, funnel.scope == "session",
            oracle_funnels.ends if funnel.exclusions else lambda event: False,
        )  # fmt: skip
        for time_ms, depth in attempts[:1] if funnel.entry == "first" else attempts:
            for step in range(1, depth + 1):
                for day in ("", _day(time_ms)):
                    expected["funnel_people", day, f"{name} {step}"] = 1, None
    assert expected
    assert found == expected


def _day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).date().isoformat()
