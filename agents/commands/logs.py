"""Structured logs on stderr: one safe line a message, and a repeated message only now and then."""

import json
import logging
import logging.config
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from schemas.rejection import printable
from stream.settings.application import Settings

# Longer texts come from outside; their beginning is enough to recognise them.
FIELD_MAX = 200
# A message also says how to mend what it reports.
MESSAGE_MAX = 1_000
REPEAT_SECONDS = 10.0
# Client libraries report every attempt to connect; the worker's own lines say when it is over.
LIBRARIES = ("aiokafka", "faust", "kafka", "mode", "redis")
LIBRARY_REPEAT_SECONDS = 60.0
# Bounds the memory of the rate limit if templates never repeat.
TEMPLATES_MAX = 1_000
# Attributes that every record has; all others were given with `extra=`.
OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "suppressed"}


class RateLimit(logging.Filter):
    """Filter that passes one line per (logger, template, reason, shard) every 10 s and counts the rest.

    A template is the message before its arguments are filled in; `reason` and `shard` may be given as
    extra. Lines of client libraries pass every minute.
    Lines below INFO always pass: a person asked for them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, str, object, object], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record passes; if so, it carries the number of those suppressed before it."""
        if record.levelno < logging.INFO:
            return True
        now = self._clock()
        template = str(record.msg)[:FIELD_MAX]
        about = getattr(record, "reason", None), getattr(record, "shard", None)
        key = (record.name, template, *about)
        is_library = (record.name or "").split(".")[0] in LIBRARIES
        repeat_seconds = LIBRARY_REPEAT_SECONDS if is_library else REPEAT_SECONDS
        last, suppressed = self._seen.get(key, (float("-inf"), 0))
        if now - last < repeat_seconds:
            self._seen[key] = (last, suppressed + 1)
            return False
        if len(self._seen) >= TEMPLATES_MAX:
            self._seen.clear()
        self._seen[key] = (now, 0)
        if suppressed:
            record.suppressed = suppressed
        return True


class JsonFormatter(logging.Formatter):
    """Format of one JSON object a line: time, level, logger, message, then the extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without characters that could break it or change the terminal."""
        line: dict[str, Any] = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": printable(record.getMessage(), MESSAGE_MAX),
        }
        line |= {name: _plain(value) for name, value in fields(record).items()}
        if record.exc_info:
            line["error"] = _traceback(self, record)
        return json.dumps(line, ensure_ascii=True, default=str)


class TextFormatter(logging.Formatter):
    """Format of a line for people: time, level, message, then the extra fields as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, followed by a traceback with escaped control characters."""
        extra = "".join(f" {name}={_plain(value)}" for name, value in fields(record).items())
        message = printable(record.getMessage(), MESSAGE_MAX)
        line = f"{_moment(record)} {record.levelname:<7} {message}{extra}"
        if record.exc_info:
            line += "\n" + "\n".join(safe(part) for part in _traceback(self, record).split("\n"))
        return line


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields given with `extra=`, and the number of suppressed lines if there are some."""
    found = {name: value for name, value in vars(record).items() if name not in OWN_ATTRIBUTES}
    suppressed = getattr(record, "suppressed", 0)
    return found | {"suppressed": suppressed} if suppressed else found


def safe(text: str) -> str:
    """Cut a text to 200 characters and escape control, ANSI and bidi characters."""
    return printable(text, FIELD_MAX)


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | bool | None) else safe(str(value))


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""


def logging_config(settings: Settings) -> Mapping[str, Any]:
    """Return the set-up as a dictionary of `logging.config`, which Faust takes too."""
    formatter = JsonFormatter if settings.log.format == "json" else TextFormatter
    # Forty lines at each start and stop: the parts of Faust, by name.
    faust = "DEBUG" if settings.log.level == "debug" else "WARNING"
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
            # Both report every reconnection attempt; this program logs the ones that matter.
            "aiokafka": {"level": "ERROR"},
            "kafka": {"level": "CRITICAL"},
            "faust": {"level": faust},
            "mode": {"level": faust},
            # Its consumer is a part of Faust, which logs under the name of the module.
            "stream.kafka.transport": {"level": faust},
        },
    }


def setup_logging(settings: Settings) -> None:
    """Send all further log lines to stderr in the configured form."""
    logging.config.dictConfig(dict(logging_config(settings)))
