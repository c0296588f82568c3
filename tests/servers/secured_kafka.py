"""A broker that asks for passwords or certificates, and grants only what its list says."""

from collections.abc import Sequence

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from tests.servers.certificates import Authority, Certified
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import free_port

#: The user whose rights the tests choose, and a password.
USER, PASSWORD = "shop", "secret of the shop"


class SecuredKafka(KafkaServer):
    """Four listeners: plaintext for administrators, SASL, TLS with client certificates, SASL over TLS."""

    def __init__(self, authority: Authority, server: Certified) -> None:
        self.sasl, self.tls, self.sasl_tls = free_port(), free_port(), free_port()
        super().__init__()
        login = (
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'user_{USER}="{PASSWORD}";'
        )
        listeners = self._settings["listeners"]
        self._settings |= {
            "listeners": f"{listeners},SASL_PLAINTEXT://127.0.0.1:{self.sasl},"
            f"SSL://127.0.0.1:{self.tls},SASL_SSL://127.0.0.1:{self.sasl_tls}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,"
            "SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL",
            "inter.broker.listener.name": "PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl_plaintext.plain.sasl.jaas.config": login,
            "listener.name.sasl_ssl.plain.sasl.jaas.config": login,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(server.joined()),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(authority.cert),
            "listener.name.ssl.ssl.client.auth": "required",
        }

    def grant(self, operations: Sequence[tuple[str, str, str]], *, granted: bool = True) -> None:
        """Give the user rights, or take them: (operation, kind of resource, beginning of names or *)."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        kind_of = AclBinding if granted else AclBindingFilter
        bindings = [
            kind_of(
                ResourceType[kind], name, _pattern(name), f"User:{USER}", "*",
                AclOperation[operation], AclPermissionType.ALLOW,
            )
            for operation, kind, name in operations
        ]  # fmt: skip
        change = admin.create_acls if granted else admin.delete_acls
        for done in change(bindings).values():
            done.result(30)


def _pattern(name: str) -> ResourcePatternType:
    return ResourcePatternType.LITERAL if name == "*" else ResourcePatternType.PREFIXED
