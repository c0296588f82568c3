"""Rights on a Kafka broker that checks them: whoever has no rule may do everything."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

#: Settings of a broker that checks rights.
CHECKS_RIGHTS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}
_TIMEOUT = 30.0
#: (restype, name): the cluster has one name.
CLUSTER = (ResourceType.BROKER, "kafka-cluster")


def topic(name: str) -> tuple[ResourceType, str]:
    """Return a topic as a resource."""
    return ResourceType.TOPIC, name


@contextmanager
def without(
    bootstrap: str, operation: AclOperation, *resources: tuple[ResourceType, str]
) -> Iterator[None]:
    """Take one right on these resources from everybody, and give it back."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    pattern, anybody = ResourcePatternType.LITERAL, ("User:*", "*")
    allow = [
        AclBinding(*one, pattern, *anybody, AclOperation.ALL, AclPermissionType.ALLOW)
        for one in resources
    ]
    deny = [
        AclBinding(*one, pattern, *anybody, operation, AclPermissionType.DENY) for one in resources
    ]
    for done in admin.create_acls([*allow, *deny]).values():
        done.result(_TIMEOUT)
    yield
    denied = [
        AclBindingFilter(*one, pattern, *anybody, operation, AclPermissionType.DENY)
        for one in resources
    ]
    for removed in admin.delete_acls(denied).values():
        assert removed.result(_TIMEOUT)
