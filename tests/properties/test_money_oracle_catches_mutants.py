"""Broken aggregates: the comparison must fail for each of them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stream.history import answers, buyers, customer_days, purchases, subscriptions, ticket_course
from stream.history.distinct_days import DistinctDays
from stream.history.groups import Groups
from stream.metrics.themes import feedback, orders, social, tickets
from tests.properties.inputs.traffic import DAY_MS, HOUR_MS, Sent
from tests.properties.test_money_matches_oracle import config_for, wrong

BASE_MS = 1_709_553_600_000
#: (day, hour, person, fields)
Occurrence = tuple[int, int, str, dict[str, Any]]


def _order(order_id: str, revenue: float, kind: str = "order", **more: Any) -> dict[str, Any]:
    return {"type": kind, "order_id": order_id, "revenue": revenue, **more}


def _answer(score: int, **fields: Any) -> dict[str, Any]:
    return {"type": "survey_response", "survey": "nps", "score": score, **fields}


def _ticket(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"ticket_{kind}", "ticket_id": "t", **fields}


def _subscription(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"subscription_{kind}", "subscription_id": "s", **fields}


SCENARIOS: dict[str, list[Occurrence]] = {
    "orders": [
        (0, 1, "a", _order("o", 20)), (1, 1, "a", _order("o", 20)), (2, 1, "a", _order("p", 5)),
        (3, 1, "a", _order("o", 15, "refund")), (4, 1, "a", _order("o", 15, "refund")),
        (5, 1, "b", _order("o", 7)), (40, 1, "a", _order("q", 1)),
        # The same order again: it is earlier, and comes later.
        (4, 20, "b", _order("o", 9, delay_hours=10)),
        # One person orders in two countries.
        (41, 1, "c", _order("r", 2) | {"context": {"country": "FR"}}),
        (42, 1, "c", _order("s", 3) | {"context": {"country": "DE"}}),
    ],
    "surveys": [
        (0, 1, "a", _answer(10, response_id="r")), (0, 2, "a", _answer(3, response_id="r")),
        (1, 1, "a", _answer(7)), (2, 1, "b", _answer(6)), (2, 2, "b", _answer(9)),
        (3, 1, "c", {"type": "survey_dismissed", "survey": "nps"}),
        (4, 1, "c", {"type": "survey_response", "survey": "csat", "score": 8}),
        (4, 2, "c", {"type": "survey_response", "survey": "csat", "score": 8, "scale_max": 10}),
        (4, 3, "c", {"type": "survey_response", "survey": "csat", "score": 3}),
        (5, 1, "d", _answer(10, response_id="r")),
        (5, 2, "d", {"type": "survey_response", "survey": "csat", "score": 2, "response_id": "r"}),
        (6, 1, "d", {"type": "survey_response", "survey": "ces", "score": 2, "scale_max": 5}),
        (6, 2, "d", _answer(5, scale_max=5)),
    ],
    "tickets": [
        (0, 1, "a", _ticket("opened")), (0, 2, "a", _ticket("resolved")),
        (0, 3, "a", _ticket("resolved")), (0, 4, "a", _ticket("reopened")),
        (1, 1, "a", _ticket("message", direction="outgoing", author="bot")),
        (1, 2, "a", _ticket("message", direction="outgoing", author="agent")),
        (2, 1, "a", _ticket("resolved")), (0, 1, "b", _ticket("resolved")),
        (5, 1, "d", _ticket("message", direction="outgoing", author="agent")),
        (5, 1, "d", _ticket("opened")),
        (1, 1, "b", _ticket("opened")), (3, 1, "c", _ticket("message", direction="incoming")),
    ],
    "reach": [
        (0, 1, "a", {"type": "social_impression", "post_id": "p", "count": 9}),
        (0, 2, "a", {"type": "social_engagement", "post_id": "p", "kind": "save", "count": 4}),
        (0, 2, "a", {"type": "social_engagement", "post_id": "p", "kind": "like", "count": 2}),
        (1, 1, "a", {"type": "marketing_spend", "channel": "ads", "amount": 10}),
    ],
    "movements": [
        (0, 1, "a", _subscription("started", mrr=20)), (2, 1, "a", _subscription("changed", mrr=30)),
        (5, 1, "a", _subscription("ended", reason="payment_failed")),
        (9, 1, "a", _subscription("started", mrr=10)), (9, 1, "b", _subscription("started", mrr=8)),
        (33, 1, "a", _subscription("changed", mrr=5)), (40, 1, "b", _subscription("ended")),
        (41, 1, "c", _subscription("started", mrr=8)),
        (44, 1, "c", _subscription("cancelled", reason="unpaid")),
        (45, 1, "c", _subscription("renewed")),
        (1, 1, "d", _subscription("started", mrr=3)), (1, 2, "d", _subscription("ended")),
        (4, 2, "d", _subscription("started", mrr=5)),
        (3, 1, "e", _subscription("started", mrr=3, trial=True)),
        (4, 1, "e", _subscription("changed", mrr=4)), (6, 1, "e", _subscription("renewed")),
        (7, 1, "f", _subscription("changed", mrr=6)),
    ],
}  # fmt: skip


def broken(aggregate: str, dedupe: str = "all") -> list[str]:
    """Return the differences between the patched engine and the oracle."""
    sent = []
    for number, (day, hour, account, fields) in enumerate(SCENARIOS[aggregate]):
        time_ms = BASE_MS + day * DAY_MS + hour * HOUR_MS + number
        event = {"event_id": f"e{number}", "event_time": time_ms, "user_id": account, **fields}
        delay_ms = event.pop("delay_hours", 0) * HOUR_MS
        sent.append(Sent(event, account, "clicks", delay_ms))
    return wrong(aggregate, sent, config_for("UTC", dedupe=dedupe, denominator="shown"))


def _refund_without_end(self: purchases.Sale, time_ms: int, micros: int) -> None:
    self.left = micros
    _refund(self, time_ms, micros)


def _never_subtracted(self: buyers.OrderIndex, sale: Any, by: int, counts: Any) -> None:
    if by > 0:
        _count_order(self, sale, by, counts)


def _all_new_orders(event: Any) -> Any:
    kept = _kept(event)
    return kept if kept is None or kept[0] != "o" else (kept[0], _all_new_ids(""), *kept[2:])


def _bots_answer(self: tickets.Tickets, event: Any) -> Any:
    if getattr(event, "author", None) == "bot":
        event.author = "agent"
    return _ticket_entry(self, event)


def _never_reopened(self: Any, given_ms: int, kind: str, *rest: Any) -> None:
    if kind != ticket_course.REOPEN:
        _course_take(self, given_ms, kind, *rest)


def _without_skew(time_ms: int, opened: int, skew_ms: int) -> bool:
    return _is_of_ticket(time_ms, opened, 0)


def _in_proportion(self: feedback.Feedback, event: Any) -> int:
    scale = self._scale[event.survey]
    own = scale if event.scale_max is None or event.survey == "nps" else event.scale_max
    return round(event.score * scale / own * 1_000_000)


def _count_seven_as_promoter(self: answers.AnswerRules, kind: str, micros: int) -> Any:
    return _counted(self, kind, micros + 2_000_000)


def _all_new_ids(digest: str) -> bytes:
    return f"{next(_numbers)}".encode()


def _all_start(self: customer_days.CustomerDays) -> Iterator[customer_days.Stay]:
    return (stay._replace(is_first=True) for stay in _stays(self))


def _every_day(self: customer_days.CustomerDays) -> Iterator[customer_days.Stay]:
    """Yield also the days that end as they began; the first of them is the first stay."""
    days = [day for day, ends in self._ends.items() if ends and day not in self._paid]
    for stay in _stays(self):
        yield stay._replace(is_first=stay.is_first and not any(day < stay.start for day in days))


def _changed(**fields: Any) -> Callable[..., Any]:
    """Return a course of subscriptions that reads other fields of their events."""
    return lambda state, event: _advance(state, event._replace(**fields))


def _changes_pay(state: Any, event: Any) -> Any:
    return _advance(state, event._replace(trial=bool(event.trial)))


def _price_unknown(state: Any, event: Any) -> Any:
    """Forget the price of a subscription that is over."""
    if not state.live and state.segment_set_id is not None:
        state = state._replace(mrr_micros=0)
    return _advance(state, event)


_numbers = iter(range(1 << 30))
_count_order = buyers.OrderIndex._count
_refund, _kept = purchases.Sale.refund, purchases.entry_of
_course_take, _is_of_ticket = ticket_course._Course.take, ticket_course.is_of_ticket
_ticket_entry = tickets.Tickets.entry
_counted = answers.AnswerRules.counted
_advance, _stays = subscriptions.advance, customer_days.CustomerDays.stays
MUTANTS: dict[str, tuple[str, object, str, Callable[..., Any]]] = {
    "unlimited refunds": ("orders", purchases.Sale, "refund", _refund_without_end),
    "an order that an earlier one replaces still counts": (
        "orders", buyers.OrderIndex, "_count", _never_subtracted,
    ),
    "segments share their orders for ever": (
        "orders", Groups, "_part", lambda self, state, *given: state,
    ),
    "a new segment has no earlier orders": (
        "orders", buyers._Buyer, "copy", lambda self, group: self.new(group),
    ),
    "every order counts": ("orders", orders, "entry_of", _all_new_orders),
    "a buyer is counted in one window only": ("orders", DistinctDays, "_count", lambda *_: None),
    "every answer counts": ("surveys", feedback, "sid_digest", _all_new_ids),
    "a seven counts as promoter": (
        "surveys", answers.AnswerRules, "counted", _count_seven_as_promoter,
    ),
    "scales are ignored": (
        "surveys", feedback.Feedback, "_micros", lambda _, event: round(event.score * 1_000_000),
    ),
    "scales are taken in proportion": ("surveys", feedback.Feedback, "_micros", _in_proportion),
    "the first answer counts": (
        "surveys", answers.AnswerIndex, "_rank", lambda self, entry: -entry[0],
    ),
    "a response has one answer": ("surveys", answers, "_response_of", lambda entry: entry[4]),
    "clocks never differ": ("tickets", ticket_course, "is_of_ticket", _without_skew),
    "replies of bots count": ("tickets", tickets.Tickets, "entry", _bots_answer),
    "nothing is reopened": ("tickets", ticket_course._Course, "take", _never_reopened),
    "no churn is involuntary": (
        "movements", subscriptions, "advance", _changed(involuntary=False),
    ),
    "each start counts as the first": ("movements", customer_days.CustomerDays, "stays", _all_start),
    "a day that ends as it began counts": (
        "movements", customer_days.CustomerDays, "stays", _every_day,
    ),
    "renewals after the end are ignored": ("movements", subscriptions, "advance", _changed(edition=0)),
    "a change ends a trial": ("movements", subscriptions, "advance", _changes_pay),
    "a renewal after the end is free": ("movements", subscriptions, "advance", _price_unknown),
    "saves count as engagement": (
        "reach", social.Posts, "counts", lambda _, event: [(social.ENGAGED, event.count)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("aggregate", SCENARIOS)
def test_the_unchanged_engine_passes(aggregate: str) -> None:
    assert broken(aggregate) == []
    assert broken(aggregate, "latest_per_user") == []


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_engine_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    aggregate, where, name, replaced = MUTANTS[mutant]
    monkeypatch.setattr(where, name, replaced)
    assert broken(aggregate) != []


def test_counting_all_answers_differs_from_counting_the_newest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newest = answers.AnswerRules.count_newest

    def every(self: Any, counts: Any, group: Any, given: Any, by: int) -> None:
        for answer in given:
            newest(self, counts, group, [answer], by)

    monkeypatch.setattr(answers.AnswerRules, "count_newest", every)
    assert broken("surveys", "latest_per_user") != []
