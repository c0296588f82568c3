"""Errors of three client libraries in plain words: the cause first, whatever stands around it."""

import ssl

import pytest

from stream.configure.connection_errors import _TABLE, explain


class KafkaConnectionError(Exception):
    """Named as in aiokafka."""


def test_every_entry_can_be_written() -> None:
    for pattern, cause, mend in _TABLE:
        words = {"s": "kafka", "S": "KAFKA", "address": "a", "group": "g", "encryption": "e",
                 "login": "l", "app": "x", "text": "t"}  # fmt: skip
        assert cause.format(**words), pattern
        assert mend.format(**words), pattern


def test_the_first_cause_wins() -> None:
    try:
        try:
            raise ssl.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate in chain")
        except ssl.SSLError as behind:
            raise KafkaConnectionError("Unable to bootstrap from [...]") from behind
    except KafkaConnectionError as error:
        found = explain(error, "kafka")
    assert found.cause == "its certificate is signed by an authority that is not trusted"
    assert found.mend == "set kafka.ssl_cafile to the certificate of that authority"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("NOAUTH Authentication required.", "asks for a password"),
        ("OOM command not allowed when used memory > 'maxmemory'", "memory is full"),
        ("READONLY You can't write against a read only replica.", "is a replica"),
        ("MISCONF Redis is configured to save RDB snapshots", "cannot write to its disk"),
        ("MOVED 3999 127.0.0.1:6381", "redis.cluster does not fit"),
        ("Timeout reading from 127.0.0.1:6379", "does not answer in time"),
        ("NOPERM this user has no permissions to run the 'eval' command", "'eval'"),
    ],
)
def test_answers_of_redis(text: str, cause: str) -> None:
    assert cause in explain(RuntimeError(text), "redis").cause


def test_an_unknown_error_keeps_its_words() -> None:
    assert explain(ZeroDivisionError("by 0"), "redis").cause == "ZeroDivisionError: by 0"
