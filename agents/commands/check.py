"""`engage check`: checks everything that a worker needs and reports all problems at once."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from agents.commands.check_redis import redis_findings
from agents.commands.check_state import state_findings
from agents.commands.findings import Finding, Level, show
from agents.commands.kafka_clients import KafkaUnreachable, open_admin, reaching
from agents.commands.state.check_log import log_findings
from agents.commands.topics import (
    TIMESTAMP_TYPE,
    Existing,
    differences,
    existing_topics,
    wanted_topics,
)
from agents.doctor.broker_clock import clock_findings
from agents.doctor.certificates import certificate_findings
from agents.doctor.group import group_findings
from agents.doctor.intake_rights import missing_intake_rights
from agents.doctor.rights import Right, missing_on_topics, missing_rights
from stream.configure.check_service import is_loopback
from stream.configure.fingerprints import definition_version
from stream.configure.load import SettingsError, load_settings
from stream.intake.process import carried_topics
from stream.publish.log_identity import partitions_unequal
from stream.settings.application import Settings


def run_check(
    config: Path | None,
    environ: Mapping[str, str],
    format: str = "table",
    out: TextIO | None = None,
) -> int:
    """Print the findings of all checks; 1 if one is an error, else 0."""
    findings = list(all_findings(config, environ))
    show(findings, format, out or sys.stdout)
    return 1 if any(finding.level == "error" for finding in findings) else 0


def all_findings(config: Path | None, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Check configuration, Kafka and Redis, also with a broken configuration."""
    try:
        settings = load_settings(config, environ)
        version = definition_version(settings)
        yield Finding("ok", "configuration", f"{settings.app}, definitions {version}")
    except SettingsError as error:
        settings = error.readable
        for problem in error.problems:
            key, _, text = problem.partition(": ")
            yield Finding("error", "configuration", key, text)
    if topics := carried_topics(settings):
        yield Finding("ok", "sources", f"engage intake carries {', '.join(topics)}")
    yield from _exposure(settings)
    found = [*kafka_findings(settings), *redis_findings(settings)]
    yield from found
    yield from certificate_findings(settings)
    yield from state_findings(settings)
    # Its own connections would wait for a server that does not answer.
    servers = {f"kafka {settings.kafka.bootstrap_servers}", f"redis {settings.redis.url}"}
    if not any(one.level == "error" and one.subject in servers for one in found):
        yield from log_findings(settings)


def _exposure(settings: Settings) -> Iterator[Finding]:
    """Warn of connections and pages that are open to others, which may be intended."""
    url = urlsplit(settings.redis.url)
    if url.scheme == "redis" and not is_loopback(url.hostname or ""):
        advice = "use rediss:// unless that network is trusted"
        yield Finding("warning", f"redis {settings.redis.url}", "not encrypted", advice)
    if not is_loopback(settings.web.host) and not settings.web.tls_certfile:
        advice = "keep it behind a proxy or a firewall, or set web.tls_certfile"
        yield Finding("warning", "web.host", f"{settings.web.host} is open to others", advice)


def kafka_findings(settings: Settings) -> Iterator[Finding]:
    """Check that Kafka answers, and that every topic exists as it should be."""
    where = f"kafka {settings.kafka.bootstrap_servers}"
    wanted = wanted_topics(settings)
    try:
        admin = open_admin(settings)
        try:
            with reaching(settings):
                rights = missing_rights(settings, admin)
                of_intake = missing_intake_rights(settings, admin)
                names = [topic.name for topic in wanted]
                unread = missing_on_topics(
                    admin, [Right("DESCRIBE_CONFIGS", "topic", n) for n in names]
                )
            existing = existing_topics(settings, admin, (topic.name for topic in wanted))
            others = [*group_findings(settings, admin), *clock_findings(settings, admin, existing)]
        finally:
            admin.close()
    except KafkaUnreachable as error:
        yield Finding("error", where, error.found, error.mend)
        return
    yield Finding("ok", where, f"reachable, {settings.kafka.protocol}")
    yield from right_findings(settings, rights, unread)
    yield from intake_findings(settings, [one for one in of_intake if one not in rights])
    yield from others
    # A topic that the user may not see is another matter: the right to see it is missing.
    hidden = {right.name for right in rights if right.kind == "topic"}
    missing = [topic.name for topic in wanted if topic.name not in {*existing, *hidden}]
    if missing:
        advice = "run `engage topics create`, or correct the names in [topics]"
        yield Finding("error", "topics", "missing: " + ", ".join(missing), advice)
    yield from _inputs(settings, existing)
    for difference in differences(wanted, existing):
        found, _, advice = difference.partition("; ")
        # The worker also guards against a producer's clock, but not against lost compaction.
        level: Level = "warning" if TIMESTAMP_TYPE in found else "error"
        yield Finding(level, "topics", found, advice)


def right_findings(
    settings: Settings, missing: list[Right], unread: list[Right]
) -> Iterator[Finding]:
    """Name each right that is missing, with the command that grants it."""
    user = settings.kafka.sasl_username
    for right in missing:
        yield Finding("error", "rights", f"missing: {right}", right.mend(user))
    if not missing:
        yield Finding("ok", "rights", "READ on inputs and group, WRITE on outputs")
    if unread:
        found = f"missing: DESCRIBE_CONFIGS on {len(unread)} topics: their policies are not checked"
        yield Finding("warning", "rights", found, unread[0].mend(user))


def intake_findings(settings: Settings, missing: list[Right]) -> Iterator[Finding]:
    """Name each right that `engage intake` lacks, with the command that grants it."""
    for right in missing:
        mend = right.mend(settings.kafka.sasl_username)
        yield Finding("error", "rights of engage intake", f"missing: {right}", mend)
    topics = carried_topics(settings)
    if topics and not missing:
        yield Finding("ok", "rights of engage intake", f"READ on {', '.join(topics)}, transactions")


def _inputs(settings: Settings, existing: dict[str, Existing]) -> Iterator[Finding]:
    counts = {n: existing[n].partitions for n in settings.topics.inputs if n in existing}
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{name} has {count}" for name, count in counts.items())
        yield Finding("error", "partitions", found, partitions_unequal(counts).advice)
    elif counts:
        count = next(iter(counts.values()))
        yield Finding("ok", "partitions", f"{count} in each of {len(counts)} input topics")
