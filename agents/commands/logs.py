"""Structured logs on stderr: one safe line a message, and never a flood of the same one."""

import json
import logging
import logging.config
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from schemas.rejection import printable
from stream.settings.application import Settings

# Longer texts come from outside; nobody needs more of them to recognise what is wrong.
FIELD_MAX = 200
REPEAT_SECONDS = 10.0
# A bound on what is remembered for rate limiting, should somebody log with ever new templates.
TEMPLATES_MAX = 1_000
# What every record carries by itself; everything else was given with `extra=`.
OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "suppressed"}


class RateLimit(logging.Filter):
    """Lets one line per (logger, template, reason) through every 10 s, with a count of the rest.

    A template is the message before its arguments are filled in; `reason` may be given as extra.
    Errors with a traceback and lines below INFO pass always: they are rare, or asked for.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, str, object], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may pass; the first that does tells how many did not."""
        if record.levelno < logging.INFO:
            return True
        now = self._clock()
        key = (record.name, str(record.msg)[:FIELD_MAX], getattr(record, "reason", None))
        last, suppressed = self._seen.get(key, (float("-inf"), 0))
        if now - last < REPEAT_SECONDS:
            self._seen[key] = (last, suppressed + 1)
            return False
        if len(self._seen) >= TEMPLATES_MAX:
            self._seen.clear()
        self._seen[key] = (now, 0)
        if suppressed:
            record.suppressed = suppressed
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, then whatever was given as extra."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without any character that could end it or turn a terminal around."""
        line: dict[str, Any] = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": safe(record.getMessage()),
        }
        line |= {name: _plain(value) for name, value in fields(record).items()}
        if record.exc_info:
            line["error"] = _traceback(self, record)
        return json.dumps(line, ensure_ascii=True, default=str)


class TextFormatter(logging.Formatter):
    """A line for people: time, level, message, then the extra fields as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback follows it, with its control characters escaped."""
        extra = "".join(f" {name}={_plain(value)}" for name, value in fields(record).items())
        line = f"{_moment(record)} {record.levelname:<7} {safe(record.getMessage())}{extra}"
        if record.exc_info:
            line += "\n" + "\n".join(safe(part) for part in _traceback(self, record).split("\n"))
        return line


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What was given with `extra=`, and the suppressed count when there is one."""
    found = {name: value for name, value in vars(record).items() if name not in OWN_ATTRIBUTES}
    suppressed = getattr(record, "suppressed", 0)
    return found | {"suppressed": suppressed} if suppressed else found


def safe(text: str) -> str:
    """At most 200 characters, control, ANSI and bidi characters escaped."""
    return printable(text, FIELD_MAX)


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | bool | None) else safe(str(value))


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""


def logging_config(settings: Settings) -> Mapping[str, Any]:
    """The set-up as a `logging.config` dictionary, the form that Faust takes as well."""
    formatter = JsonFormatter if settings.log.format == "json" else TextFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "filters": {"rate": {"()": RateLimit}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "line",
                "filters": ["rate"],
            }
        },
        "root": {"level": settings.log.level.upper(), "handlers": ["stderr"]},
        "loggers": {
            # They report every reconnection attempt; what matters of it we say ourselves.
            "aiokafka": {"level": "ERROR"},
            "kafka": {"level": "CRITICAL"},
        },
    }


def setup_logging(settings: Settings) -> None:
    """Send everything that is logged from here on to stderr in the configured form."""
    logging.config.dictConfig(dict(logging_config(settings)))
