"""Settings for servers that ask for passwords and certificates."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.servers.certificates import Authority, Certified
from tests.servers.secured_kafka import PASSWORD, USER, SecuredKafka


class Certificates(NamedTuple):
    """Certificates of a good and of a foreign authority."""

    authority: Authority
    server: Certified
    client: Certified
    expired: Certified
    expiring: Certified
    encrypted: Certified
    foreign: Authority
    foreign_client: Certified


def make_certificates(directory: Path) -> Certificates:
    """Make all of them; takes a second or two."""
    authority, foreign = Authority(directory / "own"), Authority(directory / "other", "other")
    return Certificates(
        authority,
        authority.sign("server"),
        authority.sign("client"),
        authority.sign("expired", days=5, begun_days_ago=30),
        authority.sign("expiring", days=12),
        authority.sign("encrypted", encrypted=True),
        foreign,
        foreign.sign("foreign"),
    )


def variables(**settings: object) -> dict[str, str]:
    """Return KAFKA_PROTOCOL="ssl" as the variable ENGAGE_KAFKA_PROTOCOL."""
    return {f"ENGAGE_{name}": str(value) for name, value in settings.items()}


def by_password(kafka: SecuredKafka, **others: object) -> dict[str, str]:
    """Return the variables of a client that logs in with a password."""
    return variables(
        KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{kafka.sasl}", KAFKA_PROTOCOL="sasl_plaintext",
        KAFKA_SASL_MECHANISM="PLAIN", KAFKA_SASL_USERNAME=USER, KAFKA_SASL_PASSWORD=PASSWORD,
    ) | variables(**others)  # fmt: skip


def by_certificate(
    kafka: SecuredKafka, certificates: Certificates, **others: object
) -> dict[str, str]:
    """Return the variables of a client that shows a certificate."""
    return variables(
        KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{kafka.tls}", KAFKA_PROTOCOL="ssl",
        KAFKA_SSL_CAFILE=certificates.authority.cert, **of(certificates.client, "KAFKA"),
    ) | variables(**others)  # fmt: skip


def of(certified: Certified, server: str) -> Mapping[str, object]:
    """Return the settings of a client's certificate: server KAFKA or REDIS."""
    return {f"{server}_SSL_CERTFILE": certified.cert, f"{server}_SSL_KEYFILE": certified.key}
