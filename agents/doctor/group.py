"""Findings about the consumer group: who is in it besides the workers of this app."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from agents.commands.findings import Finding
from stream.settings.application import Settings


def group_findings(settings: Settings, admin: KafkaAdminClient) -> Iterator[Finding]:
    """Name the members of the group, and those that read other topics: programs of another app."""
    group, inputs = settings.consumer_group, set(settings.topics.inputs)
    members: list[dict[str, Any]] = []
    # Kafka has no coordinator for a group without a first member.
    with contextlib.suppress(KafkaError):
        members = admin.describe_groups([group])[group].get("members") or []
    strangers, own = Counter[str](), Counter[str]()
    for member in members:
        topics = set(getattr(member["member_metadata"], "topics", None) or _topics(member))
        host = str(member["client_host"]).lstrip("/")
        (own if not topics or topics == inputs else strangers)[host] += 1
    subject = f"group {group}"
    if strangers:
        yield Finding(
            "error", subject, f"programs that read other topics are in it, at {_listed(strangers)}",
            "give this app a name of its own: app, or kafka.group",
        )  # fmt: skip
    if own:
        yield Finding("ok", subject, f"workers are in it, at {_listed(own)}")


def _topics(member: dict[str, Any]) -> list[str]:
    metadata = member["member_metadata"]
    return list(metadata.get("topics") or ()) if isinstance(metadata, dict) else []


def _listed(hosts: Counter[str]) -> str:
    return ", ".join(f"{host} ({count})" for host, count in sorted(hosts.items()))
