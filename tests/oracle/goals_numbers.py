"""Every number of goals, features, funnels, carts and own measures, as the oracle computes it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from schemas.outputs import MetricRecord
from stream.settings.application import Settings, Site
from stream.settings.definitions import (
    CartSettings,
    ConversionSettings,
    FeatureSettings,
    Measure,
    OwnMetric,
)
from tests.oracle import goals as oracle
from tests.oracle.experiments import STATISTICS, VARIANTS, Sample, statistic
from tests.oracle.goals import EventDict, Place
from tests.oracle.oracle import instant
from tests.oracle.sessions import sessions
from tests.oracle.terms import Choices
from tests.oracle.time import Wall, Window
from tests.properties.inputs.chosen_funnels import FITS, FUNNELS, STEPS, WINDOW_DAYS
from tests.properties.inputs.traffic import DAY_MS, MINUTE_MS

OWN_KINDS = ("day", "week", "month", "trailing_28d")
Parts = tuple[float, float | None]


def config(
    zone: str,
    basis: str,
    conversion: ConversionSettings | None = None,
    start: str = "add_to_cart",
    **feature: Any,
) -> Settings:
    return Settings(
        timezone=zone,
        dimensions=("country", "variant"),
        sites={"shop": Site(timezone="Asia/Kolkata")},
        goals={"b": STEPS[1]},
        conversion=conversion or ConversionSettings(),
        feature=FeatureSettings(map={"d": "search"}, **feature),
        cart=CartSettings(basis=basis, start_event=start),  # type: ignore[arg-type]
        funnels=FUNNELS,
        measures={
            "wishes": Measure(type="custom", where={"name": "a*"}),
            "wishers": Measure(type="custom", where={"name": "a*"}, count="people"),
            "worth": Measure(type="order", count="sum", field="revenue"),
        },
        metrics={
            "wishes_per_person": OwnMetric(numerator="wishes", denominator="people"),
            "wisher_share": OwnMetric(numerator="wishers", denominator="people", windows=OWN_KINDS),
            "worth": OwnMetric(numerator="worth", unit="currency", windows=("week", "all")),
        },
    )


class ExpectedNumbers:
    """Numbers that the engine must publish."""

    def __init__(self, events: list[EventDict], settings: Settings) -> None:
        self.events, self.settings = events, settings
        passive = settings.active.passive_types
        self.active: Callable[[EventDict], bool] = lambda event: event["type"] not in passive

    @cache  # noqa: B019
    def parts(self, metric: str, place: Place, window: Window) -> Parts:
        """Return (numerator, denominator) of a metric."""
        if metric.startswith("variant_"):
            return self._experiment(metric, place, window)
        if metric.startswith("funnel"):
            return self._funnel(metric, place, window)
        if metric in ("cart_abandonment_rate", "recovered_carts"):
            return self._carts(metric, place, window)
        by_session = self.settings.conversion.basis == "session" and metric == "conversion_rate"
        if metric == "session_conversion_rate" or by_session:
            return self._sessions(place, window, self._reaches_any, lambda session: True)
        if metric == "worth":
            held = (e for e in self.events if place.holds(e) and oracle.within(window, e["ms"]))
            return sum(round(1e6 * e.get("revenue", 0)) for e in held) / 1e6, None
        if metric == "wishes_per_person":
            held = (e for e in self.events if place.holds(e) and oracle.within(window, e["ms"]))
            return sum(FITS[0](e) for e in held), self._people(place, window, self.active)
        own = place.dimension in ("goal", "feature")
        within = Place(place.site) if own else place
        fits = FITS[0]
        if metric == "conversion_rate":
            fits = self._goal(place.value) if own else self._reaches_any
        elif metric == "feature_usage_rate":
            fits = _feature(place.value)
        top = self._people(within, window, fits)
        if metric == "conversion_rate" and self.settings.conversion.count == "every":
            held = (e for e in self.events if within.holds(e) and oracle.within(window, e["ms"]))
            top = sum(fits(event) for event in held)
        if metric == "feature_usage_rate" and self.settings.feature.denominator == "all_known":
            window = Window("ever", 0, window.end_ms)
        if metric == "feature_usage_rate" and self.settings.feature.denominator == "eligible":
            return top, self._people(within, window, FITS[0])
        return top, self._people(within, window, self.active)

    def _experiment(self, metric: str, place: Place, window: Window) -> Parts:
        name, goal = place.value, ""
        if place.dimension != "variant":
            goal, name = place.value.split("\x1f")

        def sample(variant: str) -> Sample:
            seen = Place(place.site, "variant", variant)
            fits = self._goal(goal) if goal else self._reaches_any
            return Sample(self._people(seen, window, fits), self._people(seen, window, self.active))

        control = None if name == "control" else sample("control")
        return statistic(metric, sample(name), control)

    def _people(self, place: Place, window: Window, fits: oracle.Fits) -> int:
        return len(oracle.people(self.events, place, window, fits))

    def _goal(self, name: str) -> oracle.Fits:
        def reaches(event: EventDict) -> bool:
            if event["type"] == "goal":
                return event["name"] == name
            return (name == "order" and event["type"] == "order") or (
                name == "b" and FITS[1](event)
            )

        return reaches

    def _reaches_any(self, event: EventDict) -> bool:
        return event["type"] in ("goal", "order") or FITS[1](event)

    def _funnel(self, metric: str, place: Place, window: Window) -> Parts:
        name, _, step = place.value.partition("\x1f")

        def reached(step: int) -> int:
            done = self._attempts(place.site, name)
            return len(
                {e["user_id"] for e, d in done if d >= step and oracle.within(window, e["ms"])}
            )

        number = int(step)
        if metric == "funnel_people":
            return reached(number), None
        before = 1 if metric == "funnel_conversion" else max(number - 1, 1)
        return reached(number), reached(before)

    @cache  # noqa: B019
    def _attempts(self, site: str, name: str) -> list[tuple[EventDict, int]]:
        funnel = FUNNELS[name]
        found = oracle.attempts(
            [event for event in self.events if Place(site).holds(event)],
            FITS,
            order=funnel.order,
            window_ms=WINDOW_DAYS * DAY_MS,
            by_session=funnel.scope == "session",
            active=self.active,
            excluded=_ends_attempts if funnel.exclusions else lambda event: False,
        )
        return oracle.first_of_each(found) if funnel.entry == "first" else found

    def _carts(self, metric: str, place: Place, window: Window) -> Parts:
        basis = self.settings.cart.basis
        if basis == "session":
            return self._sessions(
                place, window,
                lambda session: not any(e["type"] == "order" for e in session),
                lambda session: any(
                    e["type"] == self.settings.cart.start_event for e in session
                ),
            )  # fmt: skip
        kinds = ("add_to_cart", "remove_from_cart", "checkout_started", "order")
        cart_events = [e for e in self.events if Place(place.site).holds(e) and e["type"] in kinds]
        found = [
            cart.outcome
            for cart in oracle.cart_outcomes(
                cart_events, basis == "user", self.settings.cart.start_event
            )
            if place.holds(cart.event) and oracle.within(window, cart.ms)
        ]
        if metric == "recovered_carts":
            return found.count("recovered"), None
        left = found.count("abandoned")
        return left, left + found.count("ordered")

    def _sessions(
        self, place: Place, window: Window, top: Callable[[Any], bool], of: Callable[[Any], bool]
    ) -> Parts:
        found = [
            session
            for session in sessions(
                (e for e in self.events if Place(place.site).holds(e)),
                by_user=True, source="auto", timeout_ms=30 * MINUTE_MS, splits_at_timeout=False,
                choices=Choices(dimensions=("country", "variant")),
            )
            if place.holds(session.first) and oracle.within(window, session.start_ms)
        ]  # fmt: skip
        if top == self._reaches_any:
            times = [sum(top(event) for event in session.events) for session in found]
            every = self.settings.conversion.count == "every"
            return sum(times if every else map(bool, times)), len(found)
        held = [session for session in found if of(session.events)]
        return sum(top(session.events) for session in held), len(held)

    def places(self, site: str) -> list[Place]:
        """Return every place in which something may be counted."""
        whole = [Place(site), *(Place(site, "country", value) for value in ("DE", "FR"))]
        whole += [Place(site, "variant", value) for value in VARIANTS]
        whole += [Place(site, "goal", value) for value in ("signup", "order", "b")]
        whole += [Place(site, "feature", value) for value in ("export", "search")]
        funnel = [Place(site, "funnel\x1fstep", f"{n}\x1f{k}") for n in FUNNELS for k in (1, 2, 3)]
        names = [f"{goal}\x1f{one}" for goal in ("signup", "order", "b") for one in VARIANTS]
        return whole + funnel + [Place(site, "goal\x1fvariant", name) for name in names]


def _ends_attempts(event: EventDict) -> bool:
    return event.get("feature") == "export" or (event["type"], event.get("name")) == ("custom", "d")


def _feature(name: str) -> oracle.Fits:
    return lambda event: (
        event.get("feature") == name
        or (name == "search" and event["type"] == "custom" and event["name"] == "d")
    )


def wrong_numbers(records: Iterable[MetricRecord], right: ExpectedNumbers) -> list[str]:
    """Return every record with a wrong number, and every missing number."""
    table: dict[tuple[str, Place, Window], Parts] = {}
    for record in records:
        names, values = (
            zip(*record.dimensions.items(), strict=True) if record.dimensions else ((), ())
        )
        place = Place(record.site, "\x1f".join(names), "\x1f".join(values))
        ends = (None if t is None else instant(t) for t in (record.window.start, record.window.end))
        table[record.metric, place, Window(record.window.kind, *ends)] = (
            record.numerator or 0, record.denominator,
        )  # fmt: skip
    wrong = []
    for key, found in table.items():
        wanted = right.parts(*key)
        if found[1] != wanted[1] or found[0] != pytest.approx(wanted[0]):
            wrong.append(f"{key} is {wanted}, published {found}")
    return wrong + [f"missing: {key}" for key in _must(right) if key not in table]


def _must(right: ExpectedNumbers) -> Iterator[tuple[str, Place, Window]]:
    """Yield the numbers above zero in every window that contains an event: these must be published."""
    settings = right.settings
    for site in {event.get("site", "default") for event in right.events}:
        wall = Wall(settings.timezone_of(site))
        times = [e["ms"] for e in right.events if Place(site).holds(e)]
        known = settings.feature.denominator == "all_known"
        by_session = settings.conversion.basis == "session"
        rates = {"conversion_rate": _PLAIN if by_session else (*_PLAIN, "goal")}
        usage = f"trailing_{settings.feature.window_days}d"
        for kind, metrics in (
            *_KINDS_OF.items(),
            (usage, {"feature_usage_rate": ("feature",)}),
            ("day", rates),
        ):
            over_ms = wall.midnight(wall.day(max(times)) + 1)
            for window in oracle.windows_of(wall, kind, times):
                for metric, dimensions in metrics.items():
                    # All known people are the denominator for ever; it is published only while
                    # there are events.
                    if "feature" in dimensions and (window.end_ms or 0) > over_ms and known:
                        continue
                    places = [one for one in right.places(site) if one.dimension in dimensions]
                    for place in places if _exists(metric, settings) else ():
                        # A goal belongs to a variant only if a person of the variant reached it.
                        is_known = "\x1fvariant" not in place.dimension or (
                            right.parts("variant_conversion", place, window)[0] > 0
                        )
                        if is_known and right.parts(metric, place, window)[0] > 0:
                            yield metric, place, window


def _exists(metric: str, settings: Settings) -> bool:
    return metric != "recovered_carts" or settings.cart.basis != "session"


_PLAIN, _FUNNEL = ("", "country", "variant"), ("funnel\x1fstep",)
_VARIANT = dict.fromkeys(STATISTICS, ("variant", "goal\x1fvariant"))
_KINDS_OF: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "day": {
        "session_conversion_rate": _PLAIN,
        "funnel_step_conversion": _FUNNEL, "cart_abandonment_rate": _PLAIN,
        "recovered_carts": _PLAIN, "wishes_per_person": _PLAIN, "wisher_share": _PLAIN,
    },
    "week": {"wisher_share": _PLAIN, "worth": _PLAIN},
    "trailing_28d": _VARIANT,
    "trailing_7d": _VARIANT,
    "all": {"funnel_people": _FUNNEL, "cart_abandonment_rate": _PLAIN},
}  # fmt: skip
