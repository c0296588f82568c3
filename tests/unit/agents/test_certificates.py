"""Certificates of the pages and of clusters, without servers."""

from pathlib import Path

import pytest

from agents.doctor.certificates import certificate_findings
from agents.doctor.pages import pages_trouble
from stream.configure.load import SettingsError, load_settings
from stream.store.connection import connect_redis
from stream.web.listener import Listener
from tests.servers.certificates import Authority, Certified


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def page(certified: Certified) -> dict[str, str]:
    return {
        "ENGAGE_WEB_TLS_CERTFILE": str(certified.cert),
        "ENGAGE_WEB_TLS_KEYFILE": str(certified.key),
    }


def test_an_encrypted_key_of_the_pages_is_named_without_a_prompt(authority: Authority) -> None:
    settings = load_settings(None, page(authority.sign("encrypted", encrypted=True)))
    [ok, wrong] = certificate_findings(settings)
    assert (ok.level, wrong.level) == ("ok", "error")
    assert "must not be encrypted" in wrong.advice
    listener = Listener(settings.web, dict)
    with pytest.raises(OSError) as refused:
        listener._tls()
    assert "not encrypted" in pages_trouble(settings, refused.value)


def test_files_that_cannot_be_used_are_named(authority: Authority, tmp_path: Path) -> None:
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    own = authority.sign("page")
    settings = load_settings(None, page(own) | {"ENGAGE_KAFKA_SSL_CAFILE": str(text)})
    found = {one.subject: one for one in certificate_findings(settings)}
    assert found["web.tls_certfile"].level == "ok"
    assert "holds no certificate" in found["kafka.ssl_cafile"].found


def test_a_cluster_takes_client_certificates_but_no_encrypted_key(authority: Authority) -> None:
    def environ(certified: Certified) -> dict[str, str]:
        return {
            "ENGAGE_REDIS_URL": "rediss://127.0.0.1:1", "ENGAGE_REDIS_CLUSTER": "true",
            "ENGAGE_REDIS_SSL_CERTFILE": str(certified.cert),
            "ENGAGE_REDIS_SSL_KEYFILE": str(certified.key),
        }  # fmt: skip

    client = connect_redis(load_settings(None, environ(authority.sign("client"))))
    assert client.connection_kwargs["ssl_certfile"].endswith("client.pem")
    with pytest.raises(SettingsError, match="is encrypted, which clients of a Redis Cluster"):
        load_settings(None, environ(authority.sign("closed", encrypted=True)))


def test_certificates_are_for_encrypted_connections(authority: Authority) -> None:
    environ = {"ENGAGE_REDIS_SSL_CAFILE": str(authority.cert)}
    with pytest.raises(SettingsError, match="is not encrypted and ignores"):
        load_settings(None, environ)
