"""Reads the parameters of /api/query; each refusal says what is possible."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, cast

from multidict import MultiDict, MultiMapping

from schemas.outputs import WindowKind
from schemas.rejection import printable
from schemas.suggest import did_you_mean
from stream.counters.calendar import DAY_MS, Calendar
from stream.counters.measures import EVENTS
from stream.counters.windows import GRAIN_OF
from stream.metrics.metric import OWN_DIMENSION_NAMES, Metric
from stream.publish.query import STEPS, Query, QueryRefusedError, Step
from stream.publish.snapshot import Snapshot

PARAMETERS = ("metric", "from", "to", "step", "by", "where", "site", "window", "limit", "format")
FORMATS = ("json", "csv")
METRICS_MAX = 20
#: Days of a query without `from`, by step.
_DAYS = {"hour": 7}
_DAYS_ELSE = 30
_REPEATED = ("metric", "by", "where")
_MS = re.compile(r"-?\d{11,14}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_YEARS = range(1970, 2200)


class NothingYetError(Exception):
    """There are no numbers yet."""


class QueryReader:
    """Turns parameters into queries, by the metrics and dimensions of the settings."""

    def __init__(
        self,
        metrics: Sequence[Metric],
        dimensions: Sequence[str],
        calendar_of: Callable[[str], Calendar],
    ) -> None:
        self._metrics = {metric.name: metric for metric in metrics}
        self._dimensions = (*dimensions, *sorted(OWN_DIMENSION_NAMES))
        self._calendar_of = calendar_of

    def query(self, given: MultiMapping[str], snapshot: Snapshot, reached_ms: int) -> Query:
        """Return the query of these parameters. Raises QueryRefusedError.

        An empty one counts as missing: a dashboard sends those of its empty variables.
        """
        given = MultiDict((name, value) for name, value in given.items() if value)
        self._check_names(given)
        site = _site(given.get("site"), snapshot)
        step = cast(Step, _one_of("step", given.get("step") or "day", STEPS))
        window = given.get("window")
        where = self._where(given.getall("where", []))
        by = tuple(name for name in self._by(given.getall("by", [])) if name not in where)
        from_ms, to_ms = _bounds(
            given.get("from"), given.get("to"), step, self._calendar_of(site), reached_ms
        )
        return Query(
            self._chosen(given.getall("metric", [])),
            site,
            step,
            from_ms,
            to_ms,
            by,
            where,
            cast(WindowKind, _one_of("window", window, GRAIN_OF)) if window else None,
            _limit(given.get("limit")),
        )

    def _check_names(self, given: MultiMapping[str]) -> None:
        for name in given:
            if name in self._dimensions and name not in PARAMETERS:
                text = f"{printable(name, 80)} is a dimension: write where={name}=VALUE"
                raise QueryRefusedError(text, {"parameters": PARAMETERS})
            if name not in PARAMETERS:
                _refuse("parameter", name, PARAMETERS)
            if name not in _REPEATED and len(given.getall(name)) > 1:
                raise QueryRefusedError(f"{name} is given more than once; it has one value")

    def _chosen(self, names: Iterable[str]) -> tuple[Metric, ...]:
        wanted = [name for text in names for name in text.split(",") if name]
        if not wanted:
            text = "`metric` is missing: name at least one, as in metric=bounce_rate"
            raise QueryRefusedError(text, {"metric": sorted(self._metrics)})
        for name in wanted:
            if name not in self._metrics:
                _refuse("metric", name, self._metrics)
        if len(set(wanted)) > METRICS_MAX:
            raise QueryRefusedError(f"at most {METRICS_MAX} metrics in one query")
        return tuple(self._metrics[name] for name in dict.fromkeys(wanted))

    def _by(self, given: Iterable[str]) -> list[str]:
        names = [name for text in given for name in text.split(",") if name]
        for name in names:
            self._check_dimension(name)
        return list(dict.fromkeys(names))

    def _where(self, given: Iterable[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for text in given:
            name, sign, value = text.partition("=")
            if not sign or not value:
                shown = printable(text, 80)
                raise QueryRefusedError(f"where={shown} has no value; write where=country=DE")
            self._check_dimension(name)
            if found.setdefault(name, value) != value:
                raise QueryRefusedError(
                    f"two values of {name}: `where` takes one; use `by` for all"
                )
        return found

    def _check_dimension(self, name: str) -> None:
        if name not in self._dimensions:
            _refuse("dimension", name, self._dimensions)


def _refuse(what: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    question = did_you_mean(name, names)
    text = f"unknown {what} '{printable(name, 80)}'" + (f"; {question}" if question else "")
    raise QueryRefusedError(text, {what: sorted(names)})


def _one_of(what: str, given: str, known: Iterable[Any]) -> str:
    names = [str(one) for one in known]
    if given not in names:
        _refuse(what, given, names)
    return given


def _site(given: str | None, snapshot: Snapshot) -> str:
    """Return the site that is named, or the largest."""
    events = {count.site: count.value for count in snapshot.counts if count.measure == EVENTS}
    if not events:
        raise NothingYetError("nothing has been counted yet")
    if given is not None:
        return _one_of("site", given, events)
    return max(sorted(events), key=lambda site: events[site])


def _limit(given: str | None) -> int | None:
    if given is None:
        return None
    if not given.isascii() or not given.isdecimal() or len(given) > 6 or not int(given):
        text = f"limit={printable(given, 80)} is not a number of values, such as limit=10"
        raise QueryRefusedError(text)
    return int(given)


def _bounds(
    begin: str | None, end: str | None, step: Step, calendar: Calendar, reached_ms: int
) -> tuple[int, int]:
    """Return the first instant of the range, and the first one after it; a date is a whole day."""
    tomorrow = calendar.day_of(reached_ms) + 1
    to_ms = calendar.day_start_ms(tomorrow) if end is None else _instant("to", end, calendar, 1)
    if begin is None:
        first = calendar.day_of(to_ms - 1) + 1 - _DAYS.get(step, _DAYS_ELSE)
        from_ms = calendar.day_start_ms(first)
    else:
        from_ms = _instant("from", begin, calendar, 0)
    if from_ms >= to_ms:
        text = f"the range is empty: it begins at {calendar.rfc3339(from_ms)} and "
        raise QueryRefusedError(f"{text}ends before {calendar.rfc3339(to_ms)}")
    if from_ms > reached_ms:
        raise QueryRefusedError(
            "nothing is known of that time yet", {"to": calendar.rfc3339(reached_ms)}
        )
    if step == "all":
        for name, time_ms in (("from", from_ms), ("to", to_ms)):
            _check_midnight(name, time_ms, calendar)
    return from_ms, to_ms


def _check_midnight(name: str, time_ms: int, calendar: Calendar) -> None:
    day = calendar.day_of(time_ms)
    if calendar.day_start_ms(day) != time_ms:
        near = [calendar.rfc3339(calendar.day_start_ms(one)) for one in (day, day + 1)]
        raise QueryRefusedError(
            f"step=all is counted from whole days, and {name} is within one", {name: near}
        )


def _instant(name: str, text: str, calendar: Calendar, days: int) -> int:
    """Return the instant of a parameter in epoch ms; a date begins in the site's zone, `days` later."""
    if _MS.fullmatch(text):
        return int(text)
    try:
        if _DATE.fullmatch(text):
            found = date.fromisoformat(text)
            if found.year in _YEARS:
                return calendar.day_start_ms(found.toordinal() + days)
        else:
            # A plus sign in an address is a space.
            instant = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
            if instant.tzinfo is not None and instant.year in _YEARS:
                return round(instant.astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        pass
    raise QueryRefusedError(
        f"{name}={printable(text, 80)} is not a time",
        {
            name: [
                "2026-10-01",
                "2026-10-01T00:00:00+02:00",
                f"{1_700_000_000_000 // DAY_MS * DAY_MS}",
            ]
        },
    )
