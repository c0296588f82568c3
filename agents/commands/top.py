"""`engage top`: shows the numbers of the live page in a terminal, or as plain lines elsewhere."""

import http.client
import ssl
import time
import urllib.error
import urllib.request
from contextlib import nullcontext
from typing import Any

import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from agents.commands.own_worker import own_worker
from agents.commands.signals import stop_signals
from schemas.rejection import printable
from stream.settings.application import Settings

TERMINAL_SECONDS, LINES_SECONDS, TIMEOUT_SECONDS = 1.0, 5.0, 5.0
ANSWER_MAX_BYTES = 4 * 1024 * 1024
#: Older numbers are marked as old, as on the page.
OLD_SECONDS = 5.0
_COLORS = {"ok": "green", "waiting": "yellow", "bad": "red"}


class Headline(msgspec.Struct):
    """A headline: one number of the live page."""

    title: str
    unit: str


class Site(msgspec.Struct):
    """Values of a site's headlines, now and in the period before, and its largest segments."""

    site: str
    now: list[float | None]
    before: list[float | None]
    lists: dict[str, list[tuple[str, float]]]


class Heavy(msgspec.Struct):
    """A person who sends much of a shard's events, as a digest."""

    partition: int
    digest: str
    ratio: float
    per_second: float

    def __str__(self) -> str:
        return (
            f"shard {self.partition}: person {printable(self.digest, 40)} sends {self.ratio:.0%} of "
            f"the events, {self.per_second:,.0f} a second"
        )


class Numbers(msgspec.Struct):
    """The numbers of all sites, when they were computed, and who sends many events."""

    taken_ms: int
    sites: list[Site]
    heaviest: list[Heavy] = []


class Stage(msgspec.Struct):
    """State of one part of the pipeline."""

    name: str
    state: str
    text: str


class Stale(msgspec.Struct):
    """A reason why the numbers are not live, and since when."""

    reason: str
    since_ms: int
    text: str


class Answer(msgspec.Struct):
    """Answer of a worker at /api/snapshot, with the fields that are shown here."""

    now_ms: int
    headlines: list[Headline]
    stages: list[Stage]
    numbers: Numbers | None = None
    stale: list[Stale] = []

    def site(self, name: str | None) -> Site | None:
        """Find the site of a name, or the largest one without a name."""
        sites = self.numbers.sites if self.numbers else []
        return next((site for site in sites if name in (None, site.site)), None)

    @property
    def heaviest(self) -> list[Heavy]:
        """People who send much of the events of their shard."""
        return self.numbers.heaviest if self.numbers else []

    @property
    def age(self) -> str:
        """Age of the numbers, in words."""
        if self.numbers is None:
            return "no numbers yet"
        seconds = max(self.now_ms - self.numbers.taken_ms, 0) / 1000
        return f"{'OLD: ' if seconds > OLD_SECONDS else ''}numbers of {seconds:.1f} s ago"


class NoAnswerError(Exception):
    """Raised if a worker does not answer; the message says where, why and what to do."""


_decode = msgspec.json.Decoder(Answer).decode


def run_top(settings: Settings, *, url: str | None, site: str | None, once: bool) -> int:
    """Show the numbers until Ctrl-C, or once; 1 if there were none to show."""
    base, context = _address(settings, url)
    console = Console()
    is_live = console.is_terminal and not once
    every = TERMINAL_SECONDS if console.is_terminal else LINES_SECONDS
    shown = False
    with (
        stop_signals() as stop,
        Live(console=console, auto_refresh=False) if is_live else nullcontext() as live,
    ):
        while True:
            try:
                answer = ask(base, context)
                view: Any = as_table(answer, site) if console.is_terminal else as_line(answer, site)
                shown = True
            except NoAnswerError as error:
                view = str(error)
            if isinstance(live, Live):
                live.update(Text(view) if isinstance(view, str) else view, refresh=True)
            else:
                console.print(view, markup=False, highlight=False, soft_wrap=True)
            if once or stop.wait(every):
                return 0 if shown else 1


def ask(base: str, context: ssl.SSLContext | None = None) -> Answer:
    """Request the numbers of a worker. Raises NoAnswerError."""
    address = f"{base}/api/snapshot"
    advice = "is a worker there? `engage demo` and `engage worker` start one, --url names another"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS, context=context) as answer:  # noqa: S310
            return _decode(answer.read(ANSWER_MAX_BYTES))
    except (OSError, http.client.HTTPException) as error:
        reason = printable(str(getattr(error, "reason", "") or error) or type(error).__name__)
        raise NoAnswerError(f"engage: {address} does not answer ({reason}); {advice}") from error
    except ValueError as error:
        raise NoAnswerError(f"engage: {address} is not a page of a worker; {advice}") from error


def as_table(answer: Answer, name: str | None) -> Group:
    """Lay out for a terminal: headlines, the largest segments, the pipeline."""
    site = answer.site(name)
    head = Table(box=None, title=Text(_title(answer, site, name)), title_justify="left")
    for column, side in (("", "left"), ("now", "right"), ("before", "right")):
        head.add_column(column, justify=side)  # type: ignore[arg-type]
    for headline, now, before in _rows(answer, site):
        head.add_row(Text(headline), Text(now, "bold"), Text(before, "dim"))
    tops = Table(box=None, title="today", title_justify="left", show_header=False)
    for dimension, rows in site.lists.items() if site else ():
        listed = ", ".join(f"{printable(label, 30)} {value:,.0f}" for label, value in rows[:5])
        tops.add_row(Text(dimension), Text(listed))
    stages = Table(box=None, title="pipeline", title_justify="left", show_header=False)
    for stage in answer.stages:
        color = _COLORS.get(stage.state, "")
        stages.add_row(Text(stage.name), Text(stage.state, color), Text(printable(stage.text)))
    for one in answer.heaviest:
        stages.add_row(Text("heaviest"), Text(""), Text(str(one)))
    stale = Text("\n".join(_stale(answer)), "bold red")
    return Group(
        *([stale] if answer.stale else []), head, tops, stages, Text("Ctrl-C to stop", "dim")
    )


def as_line(answer: Answer, name: str | None) -> str:
    """Write one line, for a log or a pipe."""
    site = answer.site(name)
    parts = [f"{title} {now}" for title, now, _ in _rows(answer, site)] if site else []
    parts += map(str, answer.heaviest)
    bad = _stale(answer)
    bad += [f"{s.name}: {printable(s.text)}" for s in answer.stages if s.state == "bad"]
    return time.strftime("%H:%M:%S ") + " · ".join([_title(answer, site, name), *parts, *bad])


def _stale(answer: Answer) -> list[str]:
    """Write a line for each reason why the numbers are not live."""
    return [
        f"NOT LIVE since {_clock(one.since_ms)}: {printable(one.reason)}. {printable(one.text)}"
        for one in answer.stale
    ]


def _clock(moment_ms: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment_ms / 1000))


def _title(answer: Answer, site: Site | None, name: str | None) -> str:
    if site is None and name is not None and answer.numbers:
        known = ", ".join(printable(site.site, 60) for site in answer.numbers.sites) or "none yet"
        return f"no site {printable(name, 60)}; there are {known}"
    return f"{printable(site.site, 60)}, {answer.age}" if site else answer.age


def _rows(answer: Answer, site: Site | None) -> list[tuple[str, str, str]]:
    if site is None:
        return []
    return [
        (headline.title, _shown(now, headline.unit), _shown(before, headline.unit))
        for headline, now, before in zip(answer.headlines, site.now, site.before, strict=False)
    ]


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value:.2%}" if unit == "ratio" else f"{value:,.0f}"


def _address(settings: Settings, url: str | None) -> tuple[str, ssl.SSLContext | None]:
    """Address to ask and the TLS context for it: `url`, or the worker of this machine."""
    if url is not None:
        return url.rstrip("/"), None
    worker = own_worker(settings)
    return worker.url, worker.context
