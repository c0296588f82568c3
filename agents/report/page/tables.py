"""Tables of a report's page: accounting, segments, retention and funnels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from agents.report.accounting_table import accounting_rows
from agents.report.labels import shortened_apart
from agents.report.page.elements import Markup, element, table
from agents.report.partial import MARK, is_partial
from agents.report.retention import cohort_rows
from agents.report.values import brief_value
from schemas.outputs import MetricRecord
from stream.metrics.metric import JOINED, Metric
from stream.report.accounting import Accounting
from stream.settings.definitions import Funnel

#: Values of a dimension, and columns of a retention triangle.
VALUES_SHOWN, PERIODS_SHOWN = 10, 14
_LABEL_MAX = 48
#: Metrics of a segment in the order of their columns; a column without numbers is left out. The first
#: with numbers ranks the segments.
_OF_SEGMENTS = (
    "page_views_per_page", "sessions", "unique_visitors", "page_views", "landing_sessions",
    "bounce_rate", "landing_bounce_rate", "exit_rate", "session_conversion_rate", "orders", "revenue",
    "feedback_count",
)  # fmt: skip
_FUNNEL = "funnel_people"
#: Dimension → value → metric → record of the window `all`.
Segments = Mapping[str, Mapping[str, Mapping[str, MetricRecord]]]


def accounting_table(accounting: Accounting) -> Markup:
    """Return lines read, counted, and left out by reason; a sentence if all were counted."""
    if not accounting.left_out:
        return element("p", f"{accounting.lines:,} lines read, all counted.")
    rows = [
        [name, number, element("td", text, class_="words")]
        for number, name, text in accounting_rows(accounting)
    ]
    return table("Lines of the input", ["part", "lines", "meaning"], rows)


def segments_of(records: Iterable[MetricRecord]) -> Segments:
    """Group the records of one site and the window `all` by dimension and value."""
    found: dict[str, dict[str, dict[str, MetricRecord]]] = {}
    for record in records:
        dimension = JOINED.join(record.dimensions)
        label = JOINED.join(record.dimensions.values())
        found.setdefault(dimension, {}).setdefault(label, {})[record.metric] = record
    return found


def segment_tables(
    segments: Segments, metrics: Mapping[str, Metric], currency: str | None
) -> Iterator[Markup]:
    """Yield a table for each dimension: its largest values, in the metrics that have numbers."""
    for dimension, values in segments.items():
        if JOINED in dimension:
            continue
        named = [
            name
            for name in _OF_SEGMENTS
            if name in metrics and any(_has_number(own.get(name)) for own in values.values())
        ]
        if named:
            yield _segment_table(dimension, values, [metrics[name] for name in named], currency)


def _segment_table(
    dimension: str,
    values: Mapping[str, Mapping[str, MetricRecord]],
    metrics: Sequence[Metric],
    currency: str | None,
) -> Markup:
    first = metrics[0].name
    largest = sorted(values, key=lambda label: -_number(values[label].get(first)))
    shown = shortened_apart(largest[:VALUES_SHOWN], _LABEL_MAX)
    most = max((_number(values[label].get(first)) for label in shown), default=0)
    rows = []
    for label, text in shown.items():
        own = values[label]
        cells = [
            _shown(own.get(metric.name), metric, currency)
            if number
            else _bar(_shown(own.get(metric.name), metric, currency), _number(own.get(first)), most)
            for number, metric in enumerate(metrics)
        ]
        rows.append([text, *cells])
    more = len(values) - len(shown)
    caption = f"by {dimension}" + (f", the largest {len(shown)} of {len(values)}" if more else "")
    return table(caption, [dimension, *(metric.name for metric in metrics)], rows)


def _has_number(record: MetricRecord | None) -> bool:
    return record is not None and bool(record.numerator or record.denominator)


def _number(record: MetricRecord | None) -> float:
    return (record.value or 0) if record is not None else 0


def _shown(record: MetricRecord | None, metric: Metric, currency: str | None) -> str:
    if record is None:
        return ""
    is_mean = record.denominator is not None
    return brief_value(record.value, metric.unit, currency, is_mean=is_mean)


def _bar(text: str, value: float, most: float) -> Markup:
    """Return a cell with a bar behind its text."""
    share = max(value, 0) / most if most > 0 else 0
    return element("td", text, class_="bar", style=f"--share: {share:.3f}")


def retention_tables(records: Iterable[MetricRecord]) -> Iterator[Markup]:
    """Yield a triangle for each kind of period: cohorts by row, later periods by column."""
    for kind, own in groupby(records, key=lambda record: record.window.kind):
        rows = list(cohort_rows(own))
        columns = min(max((len(row.later) for row in rows), default=0), PERIODS_SHOWN)
        if not columns:
            continue
        body = [
            [row.cohort, f"{row.people:,.0f}", *map(_heat, row.later[:columns])] for row in rows
        ]
        headings = [kind, "people", *map(str, range(1, columns + 1))]
        caption = f"Share of the new people of a {kind} who come back in each later {kind}"
        yield table(caption, headings, body, class_="heat")


def _heat(record: MetricRecord) -> Markup:
    value = record.value or 0
    text = f"{value:.0%}" + (MARK if is_partial(record) else "")
    return element("td", text, style=f"--share: {value:.3f}")


def funnel_tables(segments: Segments, funnels: Mapping[str, Funnel]) -> Iterator[Markup]:
    """Yield a table for each funnel: the people who reach each step."""
    steps = [
        (label.split(JOINED, 1), own[_FUNNEL])
        for label, own in segments.get(f"funnel{JOINED}step", {}).items()
        if _FUNNEL in own
    ]
    named = sorted((name, _step(step), record) for (name, step), record in steps)
    for name, own in groupby(named, key=lambda step: step[0]):
        people = [(step, _number(record)) for _, step, record in own]
        first = people[0][1]
        rows, before = [], first
        for step, count in people:
            shares = (f"{count / whole:.1%}" if whole else "" for whole in (first, before))
            rows.append(
                [_named(step, funnels.get(name)), _bar(f"{count:,.0f}", count, first), *shares]
            )
            before = count
        yield table(
            f"Funnel {name}", ["step", "people", "of the first", "of the step before"], rows
        )


def _named(step: int, funnel: Funnel | None) -> str:
    """Return the number of a step, with the type and the conditions of its events."""
    if funnel is None or not 0 < step <= len(funnel.steps):
        return f"{step}"
    chosen = funnel.steps[step - 1]
    conditions = (f"{field} = {value}" for field, value in chosen.where.items())
    return " ".join([f"{step}", chosen.type, *conditions])


def _step(text: str) -> int:
    return int(text) if text.isdigit() else 0
