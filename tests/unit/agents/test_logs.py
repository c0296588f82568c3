"""Log lines are one line each, cannot be forged from outside, and do not flood."""

import io
import json
import logging
import logging.config

import pytest

from agents.commands.logs import JsonFormatter, RateLimit, TextFormatter, logging_config
from stream.configure.load import load_settings

ATTACK = 'x\n{"level":"error"}\x1b[31m\u202eevil\x00' + "a" * 5_000


class Clock:
    """Clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def logger_with(formatter: logging.Formatter, clock: Clock) -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(RateLimit(clock))
    logger = logging.Logger("engage.test", logging.DEBUG)  # noqa: LOG001  apart from the root
    logger.addHandler(handler)
    return logger, stream


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_untrusted_text_stays_on_one_short_printable_line(formatter: logging.Formatter) -> None:
    logger, stream = logger_with(formatter, Clock())
    logger.warning("rejected %s", ATTACK, extra={"detail": ATTACK, "partition": 3})
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text[:-1].isprintable()
    assert len(text) < 1_400


def test_json_lines_carry_the_extra_fields() -> None:
    logger, stream = logger_with(JsonFormatter(), Clock())
    logger.error("checkpoint refused", extra={"reason": "fenced", "shard": 2, "seconds": 0.5})
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "error", "logger": "engage.test", "message": "checkpoint refused",
        "reason": "fenced", "shard": 2, "seconds": 0.5,
    }  # fmt: skip


def test_a_traceback_is_inside_the_json_line() -> None:
    logger, stream = logger_with(JsonFormatter(), Clock())
    try:
        raise ValueError(ATTACK)
    except ValueError:
        logger.exception("failed")
    assert stream.getvalue().count("\n") == 1
    assert "ValueError" in json.loads(stream.getvalue())["error"]


def test_a_traceback_in_text_has_no_control_characters() -> None:
    logger, stream = logger_with(TextFormatter(), Clock())
    try:
        raise ValueError(ATTACK)
    except ValueError:
        logger.exception("failed")
    assert all(line.isprintable() for line in stream.getvalue().split("\n"))


def test_repeated_messages_are_counted_instead_of_written() -> None:
    clock = Clock()
    logger, stream = logger_with(JsonFormatter(), clock)
    for number in range(1000):
        logger.warning("rejected %s", number, extra={"reason": "malformed"})
    logger.warning("rejected %s", 0, extra={"reason": "late"})
    logger.warning("something else")
    assert len(stream.getvalue().splitlines()) == 3
    clock.now += 10
    logger.warning("rejected %s", 1000, extra={"reason": "malformed"})
    assert json.loads(stream.getvalue().splitlines()[-1])["suppressed"] == 999
    clock.now += 10
    logger.warning("rejected %s", 1001, extra={"reason": "malformed"})
    assert "suppressed" not in json.loads(stream.getvalue().splitlines()[-1])


def test_different_messages_do_not_fill_memory() -> None:
    limit = RateLimit(Clock())
    for number in range(5000):
        record = logging.makeLogRecord({"msg": f"template {number}", "levelno": logging.INFO})
        assert limit.filter(record)
    assert len(limit._seen) <= 1000


@pytest.mark.parametrize("form", ["json", "text"])
def test_configuration_gives_the_chosen_form_and_level(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"ENGAGE_LOG_FORMAT": form, "ENGAGE_LOG_LEVEL": "warning"}
    root = logging.getLogger()
    kept, level = list(root.handlers), root.level
    try:
        logging.config.dictConfig(dict(logging_config(load_settings(None, environ))))
        logging.getLogger("engage.a").info("unseen")
        logging.getLogger("engage.a").warning("seen")
    finally:
        root.handlers[:], root.level = kept, level
    text = capsys.readouterr().err
    assert "unseen" not in text and "seen" in text
    assert text.startswith("{") == (form == "json")


def test_each_shard_has_its_own_line_and_client_libraries_one_a_minute() -> None:
    clock = Clock()
    limit = RateLimit(clock)

    def passes(name: str, shard: int) -> bool:
        record = logging.LogRecord(name, logging.ERROR, "", 0, "gone", (), None)
        record.shard = shard
        return limit.filter(record)

    assert [passes("stream.worker.claims", shard) for shard in (0, 1, 0)] == [True, True, False]
    assert passes("aiokafka.conn", 0)
    clock.now += 30
    assert passes("stream.worker.claims", 0)
    assert not passes("aiokafka.conn", 0)
    clock.now += 31
    assert passes("aiokafka.conn", 0)
