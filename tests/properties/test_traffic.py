"""The simulated traffic is repeatable, follows the schema, and contains the promised spikes."""

from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.simulation.traffic import DAY_MS, Sent, Spike, Traffic
from schemas.codec import RejectedEvent, parse
from schemas.events import Event
from schemas.events.page_views import PageView
from schemas.events.subscriptions import SubscriptionCancelled, SubscriptionStarted

# 13:00 UTC, when the daily rhythm is near its mean and rising.
START_MS = 1_790_000_000_000 // DAY_MS * DAY_MS + 9 * 3_600_000
HOUR_MS = 3_600_000


def hour(traffic: Traffic, start_ms: int = START_MS) -> list[Sent]:
    return list(traffic.between(start_ms, start_ms + HOUR_MS))


def events_of(records: list[Sent]) -> list[tuple[Event, int]]:
    return [parse(record.raw) for record in records if record.flaw != "malformed"]


def single_page_share(events: list[tuple[Event, int]], start_ms: int, end_ms: int) -> float:
    """Return the share of sessions with one page view among those that begin in the interval."""
    pages: dict[str | None, list[int]] = defaultdict(list)
    for event, time_ms in events:
        if isinstance(event, PageView):
            pages[event.session_id].append(time_ms)
    counts = [len(times) for times in pages.values() if start_ms <= min(times) < end_ms]
    return sum(count == 1 for count in counts) / len(counts)


@pytest.fixture(scope="module")
def busy() -> list[Sent]:
    """One busy hour, read by several tests."""
    return hour(Traffic(4, 30))


def test_same_seed_gives_same_bytes_and_another_seed_others() -> None:
    assert hour(Traffic(1, 5)) == hour(Traffic(1, 5))
    assert hour(Traffic(1, 5)) != hour(Traffic(2, 5))


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(1, 600_000), max_size=5))
def test_slices_together_equal_the_whole(seed: int, cuts: list[int]) -> None:
    end_ms = START_MS + 600_000
    whole = list(Traffic(seed, 2).between(START_MS, end_ms))
    sliced: list[Sent] = []
    traffic = Traffic(seed, 2)
    edges = [START_MS, *sorted(START_MS + cut for cut in cuts), end_ms]
    for from_ms, to_ms in pairwise(edges):
        sliced.extend(traffic.between(from_ms, to_ms))
    assert sliced == whole


@settings(max_examples=20)
@given(
    seed=st.integers(0, 1000),
    sites=st.sampled_from([("default",), ("shop", "blog")]),
    spike=st.sampled_from([None, "bounce", "churn"]),
)
def test_every_well_formed_event_parses_and_every_malformed_one_does_not(
    seed: int, sites: tuple[str, ...], spike: Spike | None
) -> None:
    traffic = Traffic(seed, 5, sites, spike=spike, spike_at_ms=START_MS + 60_000)
    records = list(traffic.between(START_MS, START_MS + 900_000))
    for record in records:
        if record.flaw == "malformed":
            with pytest.raises(RejectedEvent):
                parse(record.raw)
            continue
        event, _ = parse(record.raw)
        assert record.key.decode() == (event.user_id or event.visitor_id)
        assert event.site in sites
        assert set(event.context or {}) == {"country", "device", "channel"}


def test_the_rate_is_the_mean_over_a_day_and_the_night_is_quiet() -> None:
    midnight = START_MS // DAY_MS * DAY_MS
    traffic = Traffic(3, 1)
    hours = [len(hour(traffic, midnight + number * HOUR_MS)) for number in range(24)]
    assert sum(hours) / 86_400 == pytest.approx(1, rel=0.1)
    assert hours[15] > 2 * hours[3]


def test_the_promised_shares_of_events_are_spoiled(busy: list[Sent]) -> None:
    flaws = Counter(record.flaw for record in busy)
    shares = {flaw: count / len(busy) for flaw, count in flaws.items()}
    assert shares["duplicate"] == pytest.approx(0.01, rel=0.2)
    assert shares["late"] == pytest.approx(0.005, rel=0.25)
    assert shares["malformed"] == pytest.approx(0.002, rel=0.3)
    ids = Counter(event.event_id for event, _ in events_of(busy))
    assert sum(count == 2 for count in ids.values()) == pytest.approx(flaws["duplicate"], abs=5)


def test_late_events_are_minutes_behind(busy: list[Sent]) -> None:
    newest, behind = 0, []
    for record in busy:
        if record.flaw == "malformed":
            continue
        _, time_ms = parse(record.raw)
        if record.flaw == "late":
            behind.append(newest - time_ms)
        newest = max(newest, time_ms)
    assert behind and min(behind) >= 50_000 and max(behind) <= 240_000


def test_pages_follow_zipf(busy: list[Sent]) -> None:
    seen = Counter(event.page_url for event, _ in events_of(busy) if isinstance(event, PageView))
    counts = [count for _, count in seen.most_common()]
    assert counts[0] > 1.5 * counts[1] > 2 * counts[4]


def test_bounce_spike_raises_the_share_of_single_page_sessions_and_ends() -> None:
    spike_ms = START_MS + 1_200_000
    traffic = Traffic(7, 25, spike="bounce", spike_at_ms=spike_ms, spike_seconds=600)
    events = events_of(hour(traffic))
    before = single_page_share(events, START_MS, spike_ms)
    during = single_page_share(events, spike_ms, spike_ms + 600_000)
    after = single_page_share(events, spike_ms + 600_000, spike_ms + 1_200_000)
    assert before == pytest.approx(0.38, abs=0.05)
    assert during == pytest.approx(0.85, abs=0.05)
    assert after == pytest.approx(0.38, abs=0.05)


def test_churn_spike_is_a_wave_of_cancellations() -> None:
    spike_ms = START_MS + 1_200_000
    traffic = Traffic(8, 5, spike="churn", spike_at_ms=spike_ms, spike_seconds=600)
    customers = 0
    for event, _ in events_of(list(traffic.history(35, START_MS))):
        customers += isinstance(event, SubscriptionStarted)
        customers -= isinstance(event, SubscriptionCancelled)
    times = [t for e, t in events_of(hour(traffic)) if isinstance(e, SubscriptionCancelled)]
    wave = [time_ms for time_ms in times if spike_ms <= time_ms < spike_ms + 600_000]
    assert len(wave) == pytest.approx(customers * 0.35, rel=0.15)
    assert len(times) - len(wave) < 0.1 * len(wave)


def test_history_is_bounded_ordered_complete_and_wide() -> None:
    records = list(Traffic(9, 50).history(35, START_MS))
    events = events_of(records)
    times = [time_ms for _, time_ms in events]
    people = {event.user_id or event.visitor_id for event, _ in events}
    assert 20_000 < len(records) <= 30_000
    assert times == sorted(times)
    assert times[0] >= START_MS - 35 * DAY_MS
    assert times[-1] < START_MS - 60_000
    assert {(START_MS - time_ms) // DAY_MS for time_ms in times} == set(range(35))
    assert 1_500 < len(people) < 5_000
    assert not any(record.flaw for record in records)


def test_history_keeps_its_bound_for_any_seed() -> None:
    assert all(len(list(Traffic(seed, 1).history(35, START_MS))) <= 30_000 for seed in range(3))


def test_the_key_is_the_visitor_if_identity_is_visitor() -> None:
    for record in list(Traffic(10, 5, identity="visitor").between(START_MS, START_MS + 60_000)):
        assert record.key.startswith(b"v-")
