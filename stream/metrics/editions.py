"""Editions: measures that a later version counts differently under the same settings.

An edition is part of the fingerprint of each metric that reads the measure, and of the definition version.
"""

from collections.abc import Iterable, Mapping

#: Measure → number of times that its meaning has changed. A name that ends with * stands for all
#: measures that begin so.
EDITIONS: Mapping[str, int] = {
    # Null and empty fields are none, long URLs count, and an event id is one site's.
    "*": 1,
    # A renewal after the end makes a customer, a change in a trial none, a day without its end none.
    "customer_*": 1,
    "customers_*": 1,
    "mrr_*": 1,
    # Of several answers with one response id and survey the last counts; scales begin with their lowest
    # score.
    "answers*": 1,
    "nps_*": 1,
    "csat_*": 1,
    "ces_*": 1,
    "rating_*": 1,
    # A reply or resolution shortly before the opening is one at the opening.
    "first_response*": 1,
    "resolution*": 1,
    "tickets_re*": 1,
    "level_tickets_waiting": 1,
    # An event without a session id belongs to the session that its person has open; session_start and
    # session_end bound sessions.
    "session*": 1,
    "first_sessions": 1,
    "viewed_sessions": 1,
    "bounced_sessions": 1,
    "engaged_sessions": 1,
    "timed_sessions": 1,
    "carted_sessions": 1,
    "abandoned_cart_sessions": 1,
    "converted_sessions": 1,
    "pages_scrolled": 1,
    "scroll_*": 1,
    # Views of one millisecond follow each other as they arrived.
    "landing*": 1,
    "exits": 1,
    # A heartbeat stands for at most the session timeout.
    "pages_timed": 1,
    "on_page_ms": 1,
    # A cart that begins with the checkout holds what was added before it.
    "carts_*": 1,
    # Equal events at one instant are several.
    "funnel_people_*": 1,
}  # fmt: skip


def editions(measures: Iterable[str]) -> dict[str, int]:
    """Return the edition of each measure that has one."""
    found = {measure: edition_of(measure) for measure in sorted(measures)}
    return {measure: number for measure, number in found.items() if number}


def edition_of(measure: str) -> int:
    """Return the edition of a measure: the sum over the names that stand for it."""
    return sum(
        number
        for name, number in EDITIONS.items()
        if measure == name or (name.endswith("*") and measure.startswith(name[:-1]))
    )
