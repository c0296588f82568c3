"""Surveys and tickets by brute force: every window recounts all of them.

Shares no code with the engine.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction

from tests.oracle.money import Item, Windows, answers_of, person_of, segments_of
from tests.oracle.terms import Answer, Answers, EventDict, Key, Segment
from tests.oracle.time import Wall, Window

SITE = "default"
#: Lowest and highest score of each kind of survey.
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "rating": (0, 5)}


def surveys(
    events: Iterable[EventDict],
    wall: Wall,
    dimensions: Sequence[str],
    *,
    latest: bool,
    shown: bool,
    days: int = 30,
    easiest: Collection[int] = (),
) -> Answers:
    """Scores of the answers of each window: of all, or of the newest of each person.

    With `easiest` the effort score is the share of answers from its lowest to its highest score.
    """
    kinds = (f"trailing_{days}d", "day")
    ease = (min(easiest), max(easiest)) if easiest else None
    answered, off, closed = [], [], []
    in_order = sorted(events, key=lambda event: event["ms"])
    for event in in_order:
        if event["type"] == "survey_dismissed" and event.get("survey"):
            closed.append(event)
        if event["type"] == "survey_response" and not _is_revised(event, in_order):
            (off if _score(event) is None else answered).append(event)
    held = _held(answered, wall, dimensions, latest, kinds)
    dismissed = _held(closed, wall, dimensions, False, kinds)
    windows = Windows(wall)
    refused = [(s, "", event["ms"], 1) for event in off for s in segments_of(event, dimensions)]
    found = dict(answers_of("feedback_off_scale", windows.sums(refused, kinds)))
    for (segment, window), own_events in held.items():
        found[Key("feedback_count", segment, window)] = Answer(len(own_events))
    for segment, window in {*held, *dismissed}:
        if segment[1] == "survey":
            continue
        own_events = held.get((segment, window), [])
        for kind in SCALES:
            given = (_score(event) for event in own_events if event["survey"] == kind)
            scores = [score for score in given if score is not None]
            away = [e for e in dismissed.get((segment, window), []) if e["survey"] == kind]
            whole = len(scores) + (len(away) if shown else 0)
            for metric, top, bottom in _metrics(kind, scores, whole, ease):
                found[Key(metric, segment, window)] = Answer(top, bottom)
    return found


def _metrics(
    kind: str, scores: list[float], whole: int, ease: tuple[int, int] | None
) -> list[tuple[str, float, int]]:
    if kind == "nps":
        happy, unhappy = sum(s >= 9 for s in scores), sum(s < 7 for s in scores)
        between = len(scores) - happy - unhappy
        return [
            ("nps", 100 * (happy - unhappy), whole),
            ("nps_promoters_share", happy, whole),
            ("nps_passives_share", between, whole),
            ("nps_detractors_share", unhappy, whole),
        ]
    if kind == "csat":
        return [("csat", sum(s >= 4 for s in scores), whole)]
    if kind == "ces" and ease:
        return [("ces", sum(ease[0] <= s <= ease[1] for s in scores), whole)]
    return [("ces" if kind == "ces" else "average_rating", sum(scores), len(scores))]


def _is_revised(event: EventDict, in_order: Iterable[EventDict]) -> bool:
    """Return whether a later answer to the same survey has the same response id."""
    same = ("user_id", "type", "survey", "response_id")
    return event.get("response_id") is not None and any(
        other["ms"] > event["ms"] and all(other.get(name) == event.get(name) for name in same)
        for other in in_order
    )


def _score(event: EventDict) -> float | None:
    """Return the score between the ends of the survey's scale; None: it is off the scale."""
    low, high = SCALES[event["survey"]]
    top = event.get("scale_max") or high
    if event["score"] > top or (event["survey"] == "nps" and top != high):
        return None
    # The share of the way from the lowest score to the highest stays the same.
    way = Fraction(event["score"] - low) / (top - low)
    # Scores are counted in whole millionths.
    return round((low + way * (high - low)) * 1_000_000) / 1_000_000


def _held(
    events: Iterable[EventDict],
    wall: Wall,
    dimensions: Sequence[str],
    latest: bool,
    kinds: Sequence[str],
) -> dict[tuple[Segment, Window], list[EventDict]]:
    """Return the events that count in each window; `events` are in the order of time."""
    held: dict[tuple[Segment, Window], dict[object, EventDict]] = {}
    for event in events:
        for segment in [*segments_of(event, dimensions), (SITE, "survey", event["survey"])]:
            for kind in kinds:
                for window in wall.windows(kind, event["ms"]):
                    who = (person_of(event), event["survey"]) if latest else event["event_id"]
                    held.setdefault((segment, window), {})[who] = event
    return {key: list(found.values()) for key, found in held.items()}


class Ticket:
    """One ticket of a person, whose state can be asked at any instant."""

    def __init__(
        self,
        opening: EventDict,
        events: Iterable[EventDict],
        bots: bool = False,
        skew_ms: int = 60_000,
    ) -> None:
        self.opening, self.bots = opening, bots
        self.ms: int = opening["ms"]
        # What comes shortly before the opening belongs to it: clocks of two systems differ. It gets an
        # instant of its own between the opening and the next millisecond.
        timely = [e for e in events if e["ms"] >= self.ms - skew_ms and e is not opening]
        timely.sort(key=lambda event: event["ms"])
        before = [event for event in timely if event["ms"] < self.ms]
        self.events = [
            {**e, "ms": self.ms + Fraction(n + 1, len(before) + 2)} for n, e in enumerate(before)
        ] + timely[len(before) :]
        asking = [
            e for e in self.events if _is(e, "ticket_message") and e["direction"] == "incoming"
        ]
        by_support = opening.get("direction") == "outgoing"
        self.asked = self.ms if not by_support else asking[0]["ms"] if asking else None

    def state(self, at_ms: int | Fraction) -> tuple[bool, bool, int, int]:
        """Return (resolved, waiting, times resolved, times reopened) after an instant."""
        resolved, waiting, ends, returns = False, self.asked == self.ms, 0, 0
        for event in self.events:
            if event["ms"] > at_ms:
                break
            if event["ms"] == self.asked:
                waiting = not resolved
            if _is(event, "ticket_resolved") and not resolved:
                resolved, waiting, ends = True, False, ends + 1
            elif _is(event, "ticket_reopened") and resolved:
                resolved, waiting, returns = False, True, returns + 1
            elif self.is_reply(event):
                waiting = False
        return resolved, waiting, ends, returns

    def is_reply(self, event: EventDict) -> bool:
        outgoing = _is(event, "ticket_message") and event["direction"] == "outgoing"
        return outgoing and (self.bots or event.get("author") != "bot")

    def replies(self) -> list[tuple[int, int]]:
        """Return (earliest message without a reply, its reply) pairs."""
        given = [e["ms"] for e in self.events if self.is_reply(e)]
        asked = [
            e["ms"]
            for e in self.events
            if _is(e, "ticket_message") and e["direction"] == "incoming"
        ]
        asked = [ms for ms in asked if self.asked is not None and ms >= self.asked]
        if self.asked is not None and self.asked not in asked:
            asked.insert(0, self.asked)
        found = []
        for number, ms in enumerate(given):
            since = given[number - 1] if number else 0
            if open_ones := [one for one in asked if since < one < ms]:
                found.append((int(open_ones[0]), int(ms)))
        return found

    def changes(self, number: int) -> list[int]:
        """Return the instants at which it was resolved (2) or reopened (3)."""
        times = [event["ms"] for event in self.events]
        just = Fraction(1, 1_000)
        changed = [ms for ms in times if self.state(ms)[number] > self.state(ms - just)[number]]
        return [int(ms) for ms in changed]


def _is(event: EventDict, kind: str) -> bool:
    return bool(event["type"] == kind)


def tickets(events: Sequence[EventDict], bots: bool = False, skew_ms: int = 60_000) -> list[Ticket]:
    """Return every ticket that was opened, from its first opening on."""
    of_ticket: dict[tuple[str, str], list[EventDict]] = {}
    for event in events:
        if event["type"].startswith("ticket_"):
            of_ticket.setdefault((person_of(event), event["ticket_id"]), []).append(event)
    found = []
    for own_events in of_ticket.values():
        opened = [event for event in own_events if _is(event, "ticket_opened")]
        if opened:
            found.append(
                Ticket(min(opened, key=lambda event: event["ms"]), own_events, bots, skew_ms)
            )
    return found


def support(
    events: Sequence[EventDict],
    wall: Wall,
    dimensions: Sequence[str],
    days: Sequence[int],
    *,
    every: bool = False,
    at_opening: bool = False,
    bots: bool = False,
    skew_ms: int = 60_000,
) -> Answers:
    """Tickets opened, resolved and waiting, and how long customers waited."""
    windows, all_tickets = Windows(wall), tickets(events, bots, skew_ms)
    ticket_segments = [(c, s) for c in all_tickets for s in segments_of(c.opening, dimensions)]
    counted: dict[str, list[Item]] = {
        "tickets_opened": [(s, "", c.ms, 1) for c, s in ticket_segments],
        "tickets_resolved_gross": [
            (s, "", ms, 1) for c, s in ticket_segments for ms in c.changes(2)
        ],
        "tickets_reopened": [(s, "", ms, 1) for c, s in ticket_segments for ms in c.changes(3)],
    }
    found: Answers = {}
    for metric, items in counted.items():
        found.update(answers_of(metric, windows.sums(items, ("day", "trailing_30d"))))
    replies, ends = [], []
    for c, s in ticket_segments:
        for asked, ms in c.replies() if every else c.replies()[:1]:
            replies.append((s, c.ms if at_opening else ms, ms - asked))
        for ms in c.changes(2)[:1]:
            ends.append((s, c.ms if at_opening else ms, ms - c.ms))
    found.update(_durations("first_response_time", replies, windows))
    found.update(_durations("resolution_time", ends, windows))
    for segment in {s for _, s in ticket_segments}:
        own_events = [c for c, s in ticket_segments if s == segment]
        for day in days:
            [window] = wall.day_windows("day", day)
            last = wall.midnight(day + 1) - 1
            net = [
                c
                for c in own_events
                if c.state(last)[0]
                and any(wall.day(ms) == day for ms in (*c.changes(2), *c.changes(3)))
            ]
            waiting = [c for c in own_events if c.ms <= last and c.state(last)[1]]
            found[Key("tickets_resolved", segment, window)] = Answer(len(net))
            found[Key("tickets_waiting", segment, window)] = Answer(len(waiting))
    return found


def _durations(metric: str, spans: Iterable[tuple[Segment, int, int]], windows: Windows) -> Answers:
    lasted: dict[tuple[Segment, Window], list[float]] = {}
    for segment, at_ms, length in spans:
        for kind in ("day", "trailing_30d"):
            for window in windows.wall.windows(kind, at_ms):
                lasted.setdefault((segment, window), []).append(length / 1000)
    found: Answers = {}
    for (segment, window), seconds in lasted.items():
        found[Key(metric, segment, window)] = Answer(sum(seconds), len(seconds))
        for percent in (50, 90):
            rank = math.ceil(percent / 100 * len(seconds)) - 1
            answer = Answer(sorted(seconds)[rank], 1)
            found[Key(f"{metric}_p{percent}", segment, window)] = answer
    return found
