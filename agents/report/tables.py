"""Formats metric records for people: short series as a list, long series of days as a calendar."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agents.report.labels import shortened, shortened_apart
from agents.report.partial import NOTE, is_partial, marked
from agents.report.values import shown_parts, shown_value
from agents.report.window_names import newest_moment, shown_period
from schemas.outputs import MetricRecord, WindowKind
from stream.counters.measures import Grain
from stream.counters.windows import GRAIN_OF, LENGTH_OF
from stream.metrics.metric import Metric
from stream.publish.csv_table import dimension_of
from stream.settings.application import Settings

#: Windows in the order of the output.
ORDER: tuple[WindowKind, ...] = (
    "range", "all", "month", "week", "trailing_90d", "trailing_30d", "trailing_28d", "trailing_7d", "day",
    "trailing_365d", "trailing_168h", "trailing_24h", "hour", "minute", "trailing_1h",
    "trailing_30m", "trailing_5m",
)  # fmt: skip
#: Longest series in a list; a longer series of days is a grid with a line for each week.
LIST_MAX = 14
_GRID_KINDS = ("day", *(kind for kind in LENGTH_OF if GRAIN_OF[kind] is Grain.DAY))
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def as_tables(
    settings: Settings,
    metrics: Iterable[Metric],
    records: Iterable[MetricRecord],
    *,
    keep_empty: bool,
) -> str:
    """Format all numbers, metric by metric; metrics without any count are only named."""
    found: dict[str, list[MetricRecord]] = {}
    for record in records:
        found.setdefault(record.metric, []).append(record)
    # Wide enough for every number; a table takes only the width it needs.
    console = Console(highlight=False, width=300)
    empty = []
    with console.capture() as captured:
        for metric in metrics:
            own = found.get(metric.name, [])
            if keep_empty or any(record.numerator or record.denominator for record in own):
                console.print(Text.assemble((metric.name, "bold"), "  ", (metric.help, "dim")))
                for table in _tables(settings, own):
                    console.print(table)
                console.print()
            else:
                empty.append(metric.name)
        if empty:
            console.print(f"Nothing was counted for {', '.join(empty)}.", soft_wrap=True)
        zones = sorted({record.window.timezone for own in found.values() for record in own})
        if any(is_partial(record) for own in found.values() for record in own):
            console.print(NOTE, soft_wrap=True)
        console.print(f"Times are in {', '.join(zones)}.")
    return captured.get()


def _tables(settings: Settings, records: list[MetricRecord]) -> Iterator[Table]:
    """Yield short series as one list, and each long series of days as a grid."""
    series: dict[tuple[str, str], list[MetricRecord]] = {}
    for record in records:
        series.setdefault((record.window.kind, record.site), []).append(record)
    sites = sorted({site for _, site in series})
    grids: list[Table] = []
    listed: list[MetricRecord] = []
    has_labels = any(record.dimensions for record in records)
    for kind, site in ((kind, site) for kind in ORDER for site in sites):
        own = series.get((kind, site), [])
        if len(own) > LIST_MAX and kind in _GRID_KINDS and not has_labels:
            title = [kind, shortened(site)] if len(sites) > 1 else [kind]
            grids.append(_grid(settings, site, " ".join(title), own))
        else:
            listed += own
    if listed:
        yield _list(settings, listed, has_sites=len(sites) > 1, has_labels=has_labels)
    yield from grids


def _list(
    settings: Settings, records: Sequence[MetricRecord], *, has_sites: bool, has_labels: bool
) -> Table:
    """Format a line for each record."""
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=True)
    for _ in range(2 + has_sites + has_labels):
        table.add_column()
    table.add_column(justify="right")
    sites = shortened_apart([record.site for record in records])
    labels = [" = ".join(filter(None, dimension_of(record))) for record in records]
    shown = shortened_apart(labels)
    values = marked([shown_value(record, settings.currency) for record in records], records)
    for record, label, value in zip(records, labels, values, strict=True):
        cells = [record.window.kind, shown_period(record)]
        cells += [sites[record.site]] if has_sites else []
        cells += [shown[label]] if has_labels else []
        table.add_row(*map(Text, [*cells, value, shown_parts(record)]))
    return table


def _grid(settings: Settings, site: str, title: str, records: Sequence[MetricRecord]) -> Table:
    """Format a line for each week, a column for each day; a value is at its window's last day."""
    first = _WEEKDAYS.index("Sun" if settings.week_start_of(site) == "sunday" else "Mon")
    weeks: dict[str, list[str]] = {}
    counted: set[str] = set()
    values = marked([shown_value(record, settings.currency) for record in records], records)
    for record, value in zip(records, values, strict=True):
        day = newest_moment(record)
        column = (day.weekday() - first) % 7
        label = f"{day - timedelta(days=column):%Y-%m-%d}"
        weeks.setdefault(label, [""] * 7)[column] = value
        counted |= {label} if record.numerator or record.denominator else set()
    table = Table(box=None, padding=(0, 1), pad_edge=True, header_style="dim")
    table.add_column(Text(title), no_wrap=True)
    for number in range(7):
        table.add_column(_WEEKDAYS[(first + number) % 7], justify="right", no_wrap=True)
    for has_counted, run in groupby(weeks, counted.__contains__):
        rows = [(label, *weeks[label]) for label in run]
        if not has_counted and len(rows) > 2:  # Empty weeks share a line.
            rows = [(f"… {len(rows)} weeks", *rows[0][1:])]
        for row in rows:
            table.add_row(*row)
    return table
