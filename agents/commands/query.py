"""`engage query`: asks a worker for numbers of any period and prints them."""

import http.client
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agents.commands import terminal
from agents.commands.own_worker import own_worker
from agents.report.labels import shortened_apart
from agents.report.partial import NOTE, marked
from agents.report.values import shown_parts, shown_value
from agents.report.window_names import shown_period
from schemas.outputs import MetricRecord
from schemas.rejection import printable
from stream.publish.csv_table import dimension_of
from stream.settings.application import Settings

TIMEOUT_SECONDS = 30.0
ANSWER_MAX_BYTES = 64 * 1024 * 1024
_SHOWN_MAX = 20


class Answer(msgspec.Struct):
    """Answer of a worker at /api/query."""

    site: str
    timezone: str
    notes: list[str]
    records: list[MetricRecord]


class Refusal(msgspec.Struct):
    """Why a worker does not answer a query, and what it would answer."""

    error: str
    possible: dict[str, Any] = {}


class NoAnswerError(Exception):
    """Raised if no worker answers; the message says where, why and what to do."""


class RefusedError(Exception):
    """Raised if the worker refuses the query; the message says what is possible."""


def run_query(
    settings: Settings, parameters: Sequence[tuple[str, str]], *, url: str | None, format: str
) -> int:
    """Print the answer; return 1 if no worker answers, and 2 if the query is refused."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    wanted = [*parameters, ("format", "csv" if format == "csv" else "json")]
    try:
        body = ask(settings, url, wanted)
    except (NoAnswerError, RefusedError) as error:
        errors.print(f"engage: {error}", markup=False)
        return 2 if isinstance(error, RefusedError) else 1
    if format == "csv":
        terminal.write(body.decode())
        return 0
    answer = _decode(body)
    for note in answer.notes:
        errors.print(f"engage: {printable(note, 300)}", markup=False)
    if format == "json":
        lines = (msgspec.json.encode(record).decode() + "\n" for record in answer.records)
        terminal.write("".join(lines))
    else:
        terminal.write(as_tables(answer, settings.currency))
    return 0


def ask(settings: Settings, url: str | None, parameters: Sequence[tuple[str, str]]) -> bytes:
    """Request an answer of a worker. Raises NoAnswerError or RefusedError."""
    base, context = _address(settings, url)
    page = f"{base}/api/query"
    address = f"{page}?{urllib.parse.urlencode(parameters)}"
    advice = "is a worker there? `engage worker` starts one, --url names another"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS, context=context) as answer:  # noqa: S310
            body: bytes = answer.read(ANSWER_MAX_BYTES)
            if answer.headers.get_content_type() not in ("application/json", "text/csv"):
                raise NoAnswerError(f"{page} is not a page of a worker; {advice}")
            return body
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(error, page) from error
    except (OSError, http.client.HTTPException) as error:
        reason = printable(str(getattr(error, "reason", "") or error) or type(error).__name__)
        raise NoAnswerError(f"{page} does not answer ({reason}); {advice}") from error


def as_tables(answer: Answer, currency: str | None) -> str:
    """Lay out a table for each metric: period, dimension, value and its parts."""
    found: dict[str, list[MetricRecord]] = {}
    for record in answer.records:
        found.setdefault(record.metric, []).append(record)
    console = Console(highlight=False, width=300)
    with console.capture() as captured:
        for name, records in found.items():
            console.print(Text(name, "bold"))
            console.print(_table(records, currency))
            console.print()
        if not found:
            console.print("Nothing was counted there.")
        if not all(record.is_final for record in answer.records):
            console.print(NOTE, soft_wrap=True)
        place = f"Site {printable(answer.site, 64)}. Times are in {answer.timezone}."
        console.print(place, soft_wrap=True, markup=False)
    return captured.get()


def _table(records: Sequence[MetricRecord], currency: str | None) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=True)
    by = any(record.dimensions for record in records)
    for _ in range(1 + by):
        table.add_column()
    table.add_column(justify="right")
    labels = [" = ".join(filter(None, dimension_of(record))) for record in records]
    shown = shortened_apart(labels)
    values = marked([shown_value(record, currency) for record in records], records)
    for record, label, value in zip(records, labels, values, strict=True):
        cells = [shown_period(record), *([shown[label]] if by else []), value, shown_parts(record)]
        table.add_row(*map(Text, cells))
    return table


def _refused(error: urllib.error.HTTPError, page: str) -> Exception:
    """Return what an answer with an error status means."""
    try:
        refusal = msgspec.json.decode(error.read(ANSWER_MAX_BYTES), type=Refusal)
    except (msgspec.DecodeError, OSError):
        return NoAnswerError(f"{page} answers {error.code}; is it a worker of this version?")
    text = printable(refusal.error, 500)
    if error.code != http.client.UNPROCESSABLE_ENTITY:
        return NoAnswerError(f"{page} cannot answer now: {text}")
    listed = "; ".join(f"{name}: {_shown(what)}" for name, what in refusal.possible.items())
    return RefusedError(f"{text}. Possible: {listed}" if listed else text)


def _shown(possible: Any) -> str:
    if isinstance(possible, Iterable) and not isinstance(possible, str):
        names = [printable(str(one), 80) for one in possible]
        more = len(names) - _SHOWN_MAX
        text = ", ".join(names[:_SHOWN_MAX]) or "none"
        return f"{text} and {more} more" if more > 0 else text
    return printable(str(possible), 200)


def _address(settings: Settings, url: str | None) -> tuple[str, ssl.SSLContext | None]:
    if url is not None:
        return url.rstrip("/"), None
    worker = own_worker(settings)
    return worker.url, worker.context


_decode = msgspec.json.Decoder(Answer).decode
