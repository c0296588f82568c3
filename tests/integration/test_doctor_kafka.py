"""Trouble that keeps a worker from Kafka is named, with one mend: by the check, by commands, by the worker."""

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.commands.check import all_findings
from agents.commands.findings import Finding
from agents.commands.kafka_clients import KafkaUnreachable, open_admin
from agents.commands.topics import run_topics_create
from agents.kafka_start import CannotStartError, check_rights, find_log
from stream.configure.load import load_settings
from tests.conftest import provided
from tests.faults.worker_process import WorkerProcess, wait_until
from tests.integration.secured import (
    Certificates,
    by_certificate,
    by_password,
    make_certificates,
    of,
    variables,
)
from tests.servers.certificates import KEY_PASSWORD
from tests.servers.secured_kafka import SecuredKafka

ROOT = Path(__file__).parents[2]
READ_ALL = [
    ("READ", "TOPIC", "*"),
    ("READ", "GROUP", "engagement"),
    ("WRITE", "TOPIC", "engagement-"),
]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def secured(certificates: Certificates) -> Iterator[SecuredKafka]:
    with provided(lambda: SecuredKafka(certificates.authority, certificates.server)) as server:
        run_topics_create(load_settings(None, variables(KAFKA_BOOTSTRAP_SERVERS=server.bootstrap)))
        yield server


def errors(environ: dict[str, str], subject: str) -> list[Finding]:
    findings = list(all_findings(None, environ))
    return [one for one in findings if one.level == "error" and one.subject.startswith(subject)]


def cases(kafka: SecuredKafka, c: Certificates) -> dict[str, tuple[dict[str, str], str, str]]:
    """Return by name: the settings, words of the cause, words of the mend."""
    tls_port = f"127.0.0.1:{kafka.tls}"
    return {
        "wrong password": (
            by_password(kafka, KAFKA_SASL_PASSWORD="wrong"),
            "refuses user or password", "kafka.sasl_password",
        ),
        "another mechanism": (
            by_password(kafka, KAFKA_SASL_MECHANISM="SCRAM-SHA-512"),
            "does not offer the mechanism", "kafka.sasl_mechanism",
        ),
        "login where there is none": (
            by_password(kafka, KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap),
            "has no login", "kafka.protocol",
        ),
        "no login": (
            variables(KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{kafka.sasl}"),
            "closes the connection", "kafka.protocol",
        ),
        "unencrypted": (
            variables(KAFKA_BOOTSTRAP_SERVERS=tls_port),
            "closes the connection", "kafka.protocol",
        ),
        "unknown authority": (
            by_certificate(kafka, c, KAFKA_SSL_CAFILE=c.foreign.cert),
            "authority that is not trusted", "kafka.ssl_cafile",
        ),
        "no client certificate": (
            variables(
                KAFKA_BOOTSTRAP_SERVERS=tls_port, KAFKA_PROTOCOL="ssl",
                KAFKA_SSL_CAFILE=c.authority.cert,
            ),
            "asks for a client certificate", "kafka.ssl_certfile",
        ),
        "expired client certificate": (
            by_certificate(kafka, c, **of(c.expired, "KAFKA")), "expired", "renew",
        ),
        "client certificate of another authority": (
            by_certificate(kafka, c, **of(c.foreign_client, "KAFKA")),
            "does not trust this client's certificate", "kafka.ssl_certfile",
        ),
        "encrypted key": (
            by_certificate(kafka, c, **of(c.encrypted, "KAFKA")),
            "is encrypted", "ENGAGE_KAFKA_SSL_KEY_PASSWORD_FILE",
        ),
        "key of another certificate": (
            by_certificate(kafka, c, KAFKA_SSL_KEYFILE=c.expired.key),
            "do not belong together", "kafka.ssl_keyfile",
        ),
        "unknown host": (
            variables(KAFKA_BOOTSTRAP_SERVERS="nowhere.invalid:9092", KAFKA_ALLOW_INSECURE="true"),
            "name is not known", "kafka.bootstrap_servers",
        ),
        "nobody listens": (
            variables(KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1"),
            "nothing listens there", "kafka.bootstrap_servers",
        ),
    }  # fmt: skip


NAMES = (
    "wrong password", "another mechanism", "login where there is none", "no login", "unencrypted",
    "unknown authority", "no client certificate", "expired client certificate",
    "client certificate of another authority", "encrypted key", "key of another certificate",
    "unknown host", "nobody listens",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_connection_that_fails_has_its_cause_and_mend(
    secured: SecuredKafka, certificates: Certificates, name: str
) -> None:
    environ, cause, mend = cases(secured, certificates)[name]
    settings = load_settings(None, environ)
    with pytest.raises(CannotStartError) as refused:
        asyncio.run(find_log(settings))
    assert cause in str(refused.value)
    assert mend in str(refused.value)


def test_the_check_and_commands_say_it_too(
    secured: SecuredKafka, certificates: Certificates, redis_url: str
) -> None:
    for name in ("wrong password", "unknown authority", "encrypted key"):
        environ, cause, mend = cases(secured, certificates)[name]
        [found] = errors(environ | {"ENGAGE_REDIS_URL": redis_url}, "kafka 127")
        assert cause in found.found
        assert mend in found.advice
        with pytest.raises(KafkaUnreachable, match=cause):
            open_admin(load_settings(None, environ))
    gc.collect()  # An open socket would be a warning, and so an error.


def test_an_encrypted_key_opens_with_its_password_from_a_file(
    secured: SecuredKafka, certificates: Certificates, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(KEY_PASSWORD)
    environ = by_certificate(
        secured,
        certificates,
        **of(certificates.encrypted, "KAFKA"),
        KAFKA_SSL_KEY_PASSWORD_FILE=file,
    )
    open_admin(load_settings(None, environ)).close()


def test_missing_rights_are_named_one_by_one(secured: SecuredKafka, redis_url: str) -> None:
    environ = by_password(secured) | {"ENGAGE_REDIS_URL": redis_url}
    named = {one.found for one in errors(environ, "rights")}
    inputs = load_settings(None, environ).topics.inputs
    assert {f"missing: READ on topic {name}" for name in inputs} <= named
    assert {
        "missing: READ on group engagement",
        "missing: WRITE on topic engagement-metrics",
    } <= named
    assert errors(environ, "topics") == [], "hidden topics are not missing ones"
    advice = errors(environ, "rights")[0].advice
    assert "--allow-principal User:shop --operation READ --topic" in advice
    settings = load_settings(None, environ)
    with pytest.raises(CannotStartError, match="READ on topic page-views"):
        asyncio.run(find_log(settings))
    secured.grant(READ_ALL)
    try:
        wait_until("the rights hold", lambda: errors(environ, "rights") == [])
        assert asyncio.run(find_log(settings)).partitions == 4
        secured.grant(READ_ALL[1:2], granted=False)
        wait_until("the right is gone", lambda: errors(environ, "rights") != [])
        [left] = errors(environ, "rights")
        assert left.found == "missing: READ on group engagement"
        with pytest.raises(CannotStartError, match="READ on group engagement"):
            asyncio.run(check_rights(settings))
    finally:
        secured.grant(READ_ALL, granted=False)


def test_a_worker_without_the_right_to_its_group_says_so_and_ends(
    secured: SecuredKafka, redis_url: str, tmp_path: Path
) -> None:
    secured.grant([READ_ALL[0], READ_ALL[2]])
    environ = os.environ | by_password(secured) | {"ENGAGE_REDIS_URL": redis_url}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "agents", "worker"],
            cwd=tmp_path, env=environ | {"PYTHONPATH": str(ROOT)}, timeout=60,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        secured.grant(READ_ALL, granted=False)
    assert done.returncode == 1, done.stderr
    assert "READ on group engagement" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_that_loses_the_right_to_its_group_names_it_and_ends(
    secured: SecuredKafka, redis_url: str, tmp_path: Path
) -> None:
    secured.grant(READ_ALL)
    environ = os.environ | by_password(secured) | variables(REDIS_URL=redis_url)
    environ |= {"PYTHONPATH": str(ROOT), **variables(LOG_FORMAT="text")}
    worker = WorkerProcess("worker", tmp_path, environ, "agents")
    try:
        worker.start()
        wait_until("it counts", lambda: " ready after " in worker.log_tail())
        secured.grant(READ_ALL[1:2], granted=False)
        assert worker.wait(60) == 1
    finally:
        worker.end()
        secured.grant(READ_ALL, granted=False)
    assert "engage: the right READ on group engagement is missing; grant it" in worker.log_tail()


def test_certificates_that_expire_are_found(
    secured: SecuredKafka, certificates: Certificates, redis_url: str
) -> None:
    environ = by_certificate(secured, certificates) | {"ENGAGE_REDIS_URL": redis_url}

    def found(**others: object) -> dict[str, Finding]:
        return {one.subject: one for one in all_findings(None, environ | variables(**others))}

    good = found()
    assert good["kafka.ssl_certfile"].level == "ok"
    assert good[f"certificate of kafka 127.0.0.1:{secured.tls}"].level == "ok"
    soon = found(**of(certificates.expiring, "KAFKA"))["kafka.ssl_certfile"]
    assert (soon.level, "in 11 days" in soon.found) == ("warning", True)
    late = found(**of(certificates.expired, "KAFKA"))["kafka.ssl_certfile"]
    assert (late.level, late.found.startswith("expired on ")) == ("error", True)
