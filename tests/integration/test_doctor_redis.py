"""Trouble that keeps a worker from Redis is named, with one mend; client certificates are shown where asked."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.commands.check_redis import redis_findings
from agents.worker import CannotStartError, check_redis
from stream.configure.load import load_settings
from stream.settings.application import Settings
from stream.store.connection import connect_redis
from tests.conftest import provided
from tests.integration.secured import Certificates, make_certificates, of, variables
from tests.servers.certificates import KEY_PASSWORD
from tests.servers.redis_server import RedisServer, SecuredRedis

USERS = {
    "default": ("on", "nopass", "~*", "&*", "+@all"),
    "shop": ("on", ">secret", "~{engage:*", "+@all", "-@dangerous", "+info"),
    "reader": ("on", ">secret", "~*", "+@read", "+@connection", "+info", "+time"),
    "outsider": ("on", ">secret", "~*", "+@connection"),
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def secured(certificates: Certificates) -> Iterator[SecuredRedis]:
    with provided(
        lambda: SecuredRedis(certificates.authority, certificates.server, USERS)
    ) as server:
        yield server


def by_certificate(secured: SecuredRedis, certificates: Certificates, **others: object) -> Settings:
    environ = variables(REDIS_URL=secured.tls_url, REDIS_SSL_CAFILE=certificates.authority.cert)
    shown = of(certificates.client, "REDIS") | others
    return load_settings(None, environ | variables(**shown))


def refusal(settings: Settings) -> str:
    """Return why a worker does not start."""
    with pytest.raises(CannotStartError) as refused:
        asyncio.run(check_redis(settings))
    return str(refused.value)


def test_a_client_certificate_opens_a_redis_that_asks_for_one(
    secured: SecuredRedis, certificates: Certificates, tmp_path: Path
) -> None:
    settings = by_certificate(secured, certificates)
    asyncio.run(check_redis(settings))
    assert {one.level for one in redis_findings(settings)} == {"ok"}
    file = tmp_path / "password"
    file.write_text(KEY_PASSWORD)
    encrypted = by_certificate(
        secured,
        certificates,
        **of(certificates.encrypted, "REDIS"),
        REDIS_SSL_KEY_PASSWORD_FILE=file,
    )

    async def ping() -> bool:
        client = connect_redis(encrypted)
        try:
            return bool(await client.ping())
        finally:
            await client.aclose()

    assert asyncio.run(ping())


@pytest.mark.parametrize("name", [
    "no certificate", "expired", "another authority", "unknown authority", "encrypted key",
    "unencrypted", "nobody listens",
])  # fmt: skip
def test_a_connection_that_fails_has_its_cause_and_mend(
    secured: SecuredRedis, certificates: Certificates, name: str
) -> None:
    c = certificates
    cases = {
        "no certificate": (
            by_certificate(secured, c, REDIS_SSL_CERTFILE="", REDIS_SSL_KEYFILE=""),
            "asks for a client certificate", "redis.ssl_certfile",
        ),
        "expired": (by_certificate(secured, c, **of(c.expired, "REDIS")), "has expired", "renew"),
        "another authority": (
            by_certificate(secured, c, **of(c.foreign_client, "REDIS")),
            "does not trust this client's certificate", "redis.ssl_certfile",
        ),
        "unknown authority": (
            by_certificate(secured, c, REDIS_SSL_CAFILE=c.foreign.cert),
            "authority that is not trusted", "redis.ssl_cafile",
        ),
        "encrypted key": (
            by_certificate(secured, c, **of(c.encrypted, "REDIS")),
            "is encrypted", "ENGAGE_REDIS_SSL_KEY_PASSWORD_FILE",
        ),
        "unencrypted": (
            load_settings(None, variables(REDIS_URL=f"redis://127.0.0.1:{secured.tls_port}/0")),
            "closes the connection", "redis.url",
        ),
        "nobody listens": (
            load_settings(None, variables(REDIS_URL="redis://127.0.0.1:1/0")),
            "nothing listens there", "redis.url",
        ),
    }  # fmt: skip
    settings, cause, mend = cases[name]
    text = refusal(settings)
    assert cause in text
    assert mend in text
    [found] = redis_findings(settings)
    assert (found.level, cause in found.found, mend in found.advice) == ("error", True, True)


def test_users_and_their_rights_are_checked(secured: SecuredRedis) -> None:
    def as_user(name: str, password: str) -> Settings:
        url = f"redis://{name}@127.0.0.1:{secured.port}/0"
        return load_settings(None, variables(REDIS_URL=url, REDIS_PASSWORD=password))

    assert "refuses user or password" in refusal(as_user("shop", "wrong"))
    assert {one.level for one in redis_findings(as_user("shop", "secret"))} == {"ok"}
    outsider = refusal(as_user("outsider", "secret"))
    assert "a right is missing" in outsider
    assert "'info'" in outsider
    [rights] = [one for one in redis_findings(as_user("reader", "secret")) if one.level == "error"]
    assert "HSET" in rights.found
    assert "EVALSHA" in rights.found
    assert "ACL SETUSER" in rights.advice


def test_a_server_that_is_no_cluster_is_refused_at_once(redis_server: RedisServer) -> None:
    settings = load_settings(None, variables(REDIS_URL=redis_server.url, REDIS_CLUSTER="true"))
    assert "is not a cluster; set redis.cluster = false" in refusal(settings)
