"""A card for each metric: value, change, benchmark, a chart by day, and its numbers as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.commands.metric_list import short_window
from agents.report.overview import Overview
from agents.report.page.elements import Markup, element, joined, table
from agents.report.partial import MARK, is_partial
from agents.report.rows import Row
from agents.report.series import Days, Step, series
from agents.report.values import brief_benchmark, brief_change, brief_value

#: A series with more days is drawn by week, and one with more weeks by month.
_POINTS_MAX = 400
#: Highest share whose axis needs tenths of a percent.
_PERCENTS = 0.03
#: Suffix and seconds of the units of a time axis.
_TIMES = ((" d", 86_400), (" h", 3_600), (" min", 60))


@dataclass(frozen=True, slots=True)
class Chart:
    """Series that report.js draws: days and values, with the values as texts."""

    id: str
    #: Format and suffix of the numbers at the axis of values, as Plotly writes them.
    format: str
    suffix: str
    x: Sequence[str]
    y: Sequence[float | None]
    text: Sequence[str]


@dataclass(frozen=True, slots=True)
class Cards:
    """The cards of a site and their charts."""

    markup: Markup
    charts: Sequence[Chart]


def cards(found: Overview, currency: str | None, place: str) -> Cards:
    """Make the cards of all sections. `place` begins the ids of the site's elements."""
    charts: list[Chart] = []
    sections = []
    for section in found.sections:
        if not section.rows:
            continue
        made = []
        for row in section.rows:
            chart, step = _chart(found, row, currency, f"{place}-{row.metric.name}")
            charts += [chart] if chart else []
            made.append(_card(row, currency, chart, step))
        grid = element("div", *made, class_="cards")
        sections.append(element("section", element("h3", section.title), grid))
    return Cards(joined(sections), charts)


def _chart(
    found: Overview, row: Row, currency: str | None, name: str
) -> tuple[Chart | None, Step | None]:
    """Return the finest chart that has at least two values, and its step."""
    for step, spans in found.all_steps(_POINTS_MAX):
        values = series(row.numbers, step, spans)
        if sum(value is not None for value in values) > 1:
            is_mean = row.record.denominator is not None
            texts = [brief_value(v, row.metric.unit, currency, is_mean=is_mean) for v in values]
            axis, scaled = _axis(row.metric.unit, values)
            return Chart(name, *axis, [_named(span, step) for span in spans], scaled, texts), step
    return None, None


def _axis(
    unit: str, values: Sequence[float | None]
) -> tuple[tuple[str, str], Sequence[float | None]]:
    """Return format and suffix of the axis, and the values in its unit."""
    if unit == "ratio":
        return (".0%" if max(value or 0 for value in values) > _PERCENTS else ".1%", ""), values
    if unit != "seconds":
        return ("~s" if unit == "currency" else "", ""), values
    highest = max(value or 0 for value in values)
    suffix, size = next(
        ((suffix, size) for suffix, size in _TIMES if highest >= 2 * size), (" s", 1)
    )
    return ("", suffix), [None if value is None else value / size for value in values]


def _named(span: Days, step: Step) -> str:
    return f"{span.first:%Y-%m}" if step == "month" else f"{span.first}"


def _card(row: Row, currency: str | None, chart: Chart | None, step: Step | None) -> Markup:
    metric, record = row.metric, row.record
    value = brief_value(record.value, metric.unit, currency, is_mean=record.denominator is not None)
    value += MARK if is_partial(record) else ""
    change = brief_change(*row.change, metric.unit, currency) if row.change else ""
    about = [short_window(record.window.kind), change]
    benchmark = brief_benchmark(metric)
    parts = [
        element("h4", metric.name, title=metric.help),
        element("p", value, class_="value"),
        element("p", " · ".join(filter(None, about)), class_="quiet"),
        element("p", f"benchmark: {benchmark}" if benchmark else "", class_="quiet"),
    ]
    if chart is not None and step is not None:
        parts.append(element("div", id=chart.id, class_="chart", aria_hidden="true"))
        summary = element("summary", f"by {step}: {_between(chart)}")
        rows = zip(chart.x, chart.text, strict=True)
        parts.append(element("details", summary, table(metric.help, [step, "value"], rows)))
    return element("article", *parts, class_="card")


def _between(chart: Chart) -> str:
    """Say the lowest and the highest value of a chart."""
    known = [(y, text) for y, text in zip(chart.y, chart.text, strict=True) if y is not None]
    low, high = min(known)[1], max(known)[1]
    return f"{low} to {high}" if low != high else f"always {low}"
