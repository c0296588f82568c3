"""The commands that print numbers: of files, of the metric topic, of a worker, and their catalogue."""

from typing import Any

import click

from agents.cli.options import FILES, FORMAT, METRICS, SOURCE, with_settings
from agents.cli.periods import with_days, with_periods
from stream.settings.application import Settings


@click.command()
@FILES
@SOURCE
@METRICS
@click.option("--window", "windows", multiple=True, help="Only this kind of window, such as day.")
@click.option("--by", multiple=True, help="Also by value of this dimension, such as country.")
@click.option(
    "--format", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True
)
@with_periods
@click.option(
    "--as-log", is_flag=True, help="Count line after line, as the stream does: see below."
)
@click.option(
    "--partitions",
    type=click.IntRange(1, 1000),
    default=1,
    help="Count in N shards, as workers do on N partitions: see below.",
    metavar="N",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    help="Processes that count; by default one a core, and one for small files: see below.",
    metavar="N",
)
@click.option("--compare", is_flag=True, help="Add the change since the window before.")
@click.option(
    "--retention",
    type=click.Choice(["first_time", "recurring"]),
    help="Print retention triangles of these cohorts instead.",
)
@click.option("--full", is_flag=True, help="All windows of all metrics instead of the overview.")
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True),
    help="Also write a page with charts, segments, retention and funnels to FILE.",
)
@click.option("--round", "digits", type=click.IntRange(0, 15), help="Digits after the point.")
@with_settings
@with_days
def report(settings: Settings, files: tuple[str, ...], by: tuple[str, ...], **options: Any) -> int:
    """Compute every metric over files, without Kafka and Redis.

    Prints an overview that fits one screen: a line for each metric with data, with its change, its
    series and a benchmark. Any of --metric, --window, --by, --from, --to, --compare, --round and
    --full prints every number of what they choose.

    The files hold events as JSON lines, a JSON array, CSV with a header, or Parquet (needs the
    extra engagement-stream[files]), also compressed by gzip or zstd; `-` is standard input.
    Columns are named as the fields of events, such as event_time and context.country.
    With --preset or --source they hold events of another product: see engage map.

    Lines may be in any order, and an event_id counts once a site. Sorting needs room in TMPDIR
    for the lines. With --as-log the order of the lines decides what is late or a duplicate, as in
    the stream. An accounting names every line that is left out, and why.

    Workers count each partition by itself, and the key of a record is its person. Somebody whose id
    changes at a log-in is then two people, and their session two sessions. --partitions N counts so.

    --jobs N reads and counts in N processes, with the same numbers. Each takes up to 300 MB, and
    together they need room in TMPDIR for the lines, also of files in order. With --as-log, --partitions
    or the churn-risk model one process counts.

    Windows in detail: all, month, week, day, trailing_7d, trailing_28d, trailing_30d, trailing_90d; and
    only on request: trailing_365d, trailing_168h, trailing_24h, hour, minute, trailing_1h,
    trailing_30m, trailing_5m.

    A window that is not over at the newest event is partial: more of its events may come. Cohorts
    and carts whose time is not over are left out. --until says how far the data are complete.

    --from and --to give every metric over just these days, each person counted once. What looks back,
    such as new visitors, sees the events before. A session belongs to the day on which it starts.

    \b
    Example:    engage report events.jsonl.gz
                engage report --full events.jsonl.gz | less
                engage report --html report.html events.jsonl.gz
                engage report --preset segment segment.jsonl
                engage report --metric bounce_rate --window day --by country events.jsonl
                engage report --from 2024-02-01 --to 2024-02-29 --by country events.jsonl
                engage report --until 2024-02-29 --window month events.jsonl
                engage report --retention first_time --window week events.jsonl
                zcat *.gz | engage report --format csv --window hour - > numbers.csv

    \b
    Exit codes: 0 numbers were printed; 1 they were, but a file ended early or was damaged; 2 none
                could be counted, or a file, an option or the configuration is wrong.
    """
    from agents.mapping.report import run_any_report

    given: dict[str, Any] = {"by": list(by)} if by else {}
    for name, value in options.items():
        given[name] = list(value) if isinstance(value, tuple) else value
    return run_any_report(settings, list(files), **given)


@click.command()
@METRICS
@click.option("--final", "final_only", is_flag=True, help="Only values that no longer change.")
@click.option("--from-beginning", is_flag=True, help="Begin with the oldest record in the topic.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after LIMIT records.")
@FORMAT
@with_settings
def tail(
    settings: Settings,
    metrics: tuple[str, ...],
    final_only: bool,
    from_beginning: bool,
    limit: int | None,
    format: str,
) -> int:
    """Follow the metric topic, a line a record, until Ctrl-C.

    \b
    Example:    engage tail --metric daily_active_users --final
                engage tail --from-beginning --format json --limit 100

    \b
    Exit codes: 0 ended; 1 Kafka or the topic cannot be reached; 2 wrong configuration.
    """
    from agents.commands.tail import run_tail

    return run_tail(
        settings,
        metrics=list(metrics),
        final_only=final_only,
        from_beginning=from_beginning,
        limit=limit,
        format=format,
    )


@click.command()
@click.option("--url", help="Address of the worker; by default this machine's, by the settings.")
@click.option("--site", help="The site to show; by default the largest.")
@click.option("--once", is_flag=True, help="Print the numbers once and end.")
@with_settings
def top(settings: Settings, url: str | None, site: str | None, once: bool) -> int:
    """Show a worker's live numbers in the terminal, as its page /live does.

    Prints plain lines if the output is not a terminal.

    \b
    Example:    engage top
                engage top --url http://worker-1:6067 --once

    \b
    Exit codes: 0 numbers were shown; 1 no worker answered; 2 wrong configuration.
    """
    if url is not None and not url.startswith(("http://", "https://")):
        raise click.BadParameter(
            f"{url!r} is not an address like http://127.0.0.1:6067", param_hint="--url"
        )
    from agents.commands.top import run_top

    return run_top(settings, url=url, site=site, once=once)


@click.command()
@click.argument("metrics", metavar="METRIC...", nargs=-1, required=True)
@click.option("--from", "begin", metavar="TIME", help="First day, or an instant.")
@click.option("--to", "end", metavar="TIME", help="Last day, or the instant after; default: today.")
@click.option(
    "--step",
    type=click.Choice(["hour", "day", "week", "month", "all"]),
    default="day",
    show_default=True,
    help="Length of a window; all: one value over the whole range.",
)
@click.option("--by", multiple=True, metavar="DIMENSION", help="By value of this dimension.")
@click.option(
    "--where", multiple=True, metavar="NAME=VALUE", help="Only this value of a dimension."
)
@click.option("--window", metavar="KIND", help="A rolling window that ends with each step.")
@click.option("--site", help="The site; by default the largest.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the LIMIT largest values of --by.")
@click.option(
    "--format", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True
)
@click.option("--url", help="Address of the worker; by default this machine's, by the settings.")
@with_settings
def query(settings: Settings, url: str | None, format: str, **given: Any) -> int:
    """Ask a running worker for numbers of any period.

    Any worker answers, from the counts in Redis: days as long as time.day_retention_days, hours as
    long as time.hour_retention_days. A day is 2026-10-31, in the site's time zone; an instant is
    2026-10-31T13:00:00+01:00. Without --from: the last 30 days, and by the hour the last 7.

    Distinct people are exact in the windows that are counted: day, week, month and the rolling
    ones. A query without an exact answer is refused with what is possible.

    \b
    Example:    engage query bounce_rate
                engage query bounce_rate --from 2026-10-01 --to 2026-10-31 --step week --by country
                engage query revenue orders --from 2026-10-01 --step all --where country=DE
                engage query page_views_per_page --by page --step all --limit 20
                engage query monthly_active_users --step day --url http://worker-1:6067
                engage query sessions --step hour --format csv > sessions.csv

    \b
    Exit codes: 0 numbers were printed; 1 no worker answered; 2 the query was refused, or an
                option or the configuration is wrong.
    """
    if url is not None and not url.startswith(("http://", "https://")):
        raise click.BadParameter(
            f"{url!r} is not an address like http://127.0.0.1:6067", param_hint="--url"
        )
    from agents.commands.query import run_query

    names = {"metrics": "metric", "begin": "from", "end": "to"}
    parameters = [
        (names.get(name, name), str(one))
        for name, value in given.items()
        for one in (value if isinstance(value, tuple) else (value,))
        if one is not None
    ]
    return run_query(settings, parameters, url=url, format=format)


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--format", type=click.Choice(["table", "json", "markdown"]), default="table", show_default=True
)
@with_settings
def metrics(settings: Settings, names: tuple[str, ...], format: str) -> int:
    """Print the catalogue of metrics, a line each, or all about the metrics NAME.

    All about one is its formula, a worked example, its windows, the settings that change it with
    their values, its gauge and, if there is one, a benchmark from the literature. Windows of the
    last days or hours are short: 28d is trailing_28d.

    \b
    Example:    engage metrics
                engage metrics bounce_rate revenue
                engage metrics --format json | jq '.[].name'

    \b
    Exit codes: 0 printed; 2 unknown NAME, or wrong configuration.
    """
    from agents.commands.catalogue import print_catalogue

    return print_catalogue(settings, format, names)


@click.command("churn-risk")
@FILES
@FORMAT
@with_settings
def churn_risk(settings: Settings, files: tuple[str, ...], format: str) -> int:
    """Judge the churn-risk model by the events of files.

    Reads the files as `engage report` does. Day by day, the model predicts each person's risk and
    learns from those whose time to come back has ended. Each prediction is compared with what
    happened after it. Needs the extra engagement-stream[predict].

    \b
    Example:    engage churn-risk events.jsonl.gz

    \b
    Exit codes: 0 scores were printed; 1 a file cannot be read; 2 the files are too short to
                judge, the extra is missing, or the configuration is wrong.
    """
    from agents.commands.churn_risk import run_churn_risk

    return run_churn_risk(settings, files, format=format)
