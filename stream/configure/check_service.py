"""Checks how the service is connected and run: Kafka, Redis, topics, time, sites, bots, pages."""

import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from zoneinfo import ZoneInfo

from stream.configure.check_events import event_type_rules
from stream.configure.check_metrics import metric_rules
from stream.counters.segments import JOINT
from stream.counters.sites import OTHER
from stream.metrics.metric import RESERVED_DIMENSIONS
from stream.settings.application import Settings
from stream.settings.intake import INPUT_ROLES

TOPIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
SERVER = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
#: Names in the time zone folder of a machine that mean another zone elsewhere, or none.
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
_COPIES = ("posix/", "right/", "SystemV/")
_RISK_TOPIC = "churn_risk.topic"


def broken_rules(settings: Settings) -> list[str]:
    """Return a sentence for each rule that settings break, of all checks; empty if they can be used."""
    parts = (
        _kafka,
        _redis,
        _topics,
        _time,
        _sites_and_dimensions,
        event_type_rules,
        metric_rules,
        _traffic,
        _web,
    )
    return [problem for part in parts for problem in part(settings)]


def is_loopback(host: str) -> bool:
    """Whether a host name or address always means this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def server_hosts(bootstrap_servers: str) -> list[str]:
    """Host names of a list `host:port,host:port`; entries of another form are left out."""
    matches = (SERVER.fullmatch(part.strip()) for part in bootstrap_servers.split(","))
    return [match[1] for match in matches if match]


def _kafka(settings: Settings) -> Iterator[str]:
    kafka = settings.kafka
    for part in kafka.bootstrap_servers.split(","):
        if not SERVER.fullmatch(part.strip()):
            yield f"kafka.bootstrap_servers: found {part.strip()[:80]!r}; write host:port"
    encrypted = kafka.protocol in ("ssl", "sasl_ssl")
    remote = [h for h in server_hosts(kafka.bootstrap_servers) if not is_loopback(h)]
    if remote and not encrypted and not kafka.allow_insecure:
        yield (
            f"kafka.protocol: {kafka.protocol} to {remote[0]} would cross the network unencrypted; "
            "use ssl or sasl_ssl, or set kafka.allow_insecure = true if that network is trusted"
        )
    if kafka.protocol.startswith("sasl"):
        for name in ("sasl_username", "sasl_password"):
            if not getattr(kafka, name):
                yield f"kafka.{name}: is not set; kafka.protocol {kafka.protocol} needs it"
    elif kafka.sasl_username or kafka.sasl_password:
        yield f"kafka.protocol: {kafka.protocol} ignores the password that is set; use sasl_ssl"
    if kafka.session_timeout_seconds < 3 * kafka.heartbeat_seconds:
        yield (
            f"kafka.session_timeout_seconds: {kafka.session_timeout_seconds} is under three "
            f"heartbeats of {kafka.heartbeat_seconds} s; raise it, or lower kafka.heartbeat_seconds"
        )
    yield from _pair(
        "kafka.ssl_certfile", kafka.ssl_certfile, "kafka.ssl_keyfile", kafka.ssl_keyfile
    )
    yield from _readable("kafka.ssl_cafile", kafka.ssl_cafile)


def _redis(settings: Settings) -> Iterator[str]:
    redis = settings.redis
    if redis.cluster and not redis.url.rstrip("/").endswith("/0") and redis.url.count("/") > 2:
        yield f"redis.url: {redis.url} names a database; Redis Cluster has only number 0, use that"
    if redis.socket_timeout_seconds >= settings.kafka.session_timeout_seconds:
        yield (
            f"redis.socket_timeout_seconds: {redis.socket_timeout_seconds:g} is not below "
            "kafka.session_timeout_seconds, so a stalled Redis would cost the worker its partitions; "
            "lower this, or raise that"
        )
    yield from _pair(
        "redis.ssl_certfile", redis.ssl_certfile, "redis.ssl_keyfile", redis.ssl_keyfile
    )
    yield from _readable("redis.ssl_cafile", redis.ssl_cafile)
    if redis.cluster and _is_encrypted(redis.ssl_keyfile):
        yield "redis.ssl_keyfile: is encrypted, which clients of a Redis Cluster cannot read; decrypt it"
    if (redis.ssl_cafile or redis.ssl_certfile) and not redis.url.startswith("rediss:"):
        yield f"redis.url: {redis.url} is not encrypted and ignores redis.ssl_*; write rediss://"


def _topics(settings: Settings) -> Iterator[str]:
    topics = settings.topics
    named = {
        f"topics.{role}": getattr(topics, role) for role in (*INPUT_ROLES, "metrics", "ledger")
    }
    optional = {*(f"topics.{role}" for role in INPUT_ROLES), _RISK_TOPIC}
    named[_RISK_TOPIC] = settings.churn_risk.topic
    for role, name in named.items():
        if not name and role in optional:
            continue
        if not TOPIC_NAME.fullmatch(name) or name in (".", ".."):
            yield f"{role}: found {name[:80]!r}; use 1 to 249 letters, digits, dots, _ or -"
    for name, count in Counter(filter(None, named.values())).items():
        if count > 1:
            roles = " and ".join(role for role in named if named[role] == name)
            yield f'{roles}: are both {name!r}; give each its own, or switch inputs off with ""'
    if not topics.inputs:
        yield "topics: every input topic is switched off; name at least one"


def _time(settings: Settings) -> Iterator[str]:
    time, publish = settings.time, settings.publish
    if time.correction_window_seconds < time.allowed_lateness_seconds:
        yield (
            f"time.correction_window_seconds: {time.correction_window_seconds} is shorter than "
            f"time.allowed_lateness_seconds {time.allowed_lateness_seconds}; raise it"
        )
    if publish.snapshot_max_age_seconds < 2 * max(publish.snapshot_seconds, publish.cut_seconds):
        yield (
            f"publish.snapshot_max_age_seconds: {publish.snapshot_max_age_seconds:g} withholds "
            "healthy snapshots; make it at least twice snapshot_seconds and cut_seconds"
        )


def _sites_and_dimensions(settings: Settings) -> Iterator[str]:
    allowed = settings.limits.sites_allowed
    yield from _timezone("timezone", settings.timezone)
    for name, site in settings.sites.items():
        if not 1 <= len(name) <= 64:
            yield f"sites.{name[:80]}: a site name has 1 to 64 characters"
        yield from _timezone(f"sites.{name[:80]}.timezone", site.timezone or "UTC")
    for key, names in (("sites", [*settings.sites]), ("limits.sites_allowed", allowed)):
        if OTHER in names:
            yield f"{key}: {OTHER!r} counts the events of all sites that are not known; use another name"
    for name in allowed:
        if not 1 <= len(name) <= 64:
            yield f"limits.sites_allowed: found {name[:80]!r}; a site name has 1 to 64 characters"
    for name, count in Counter(settings.dimensions).items():
        if count > 1:
            yield f"dimensions: {name!r} is given {count} times; name it once"
        if name in RESERVED_DIMENSIONS:
            yield f"dimensions: {name!r} is a dimension of metrics; rename the context field"
        if not 1 <= len(name) <= 64 or JOINT in name:
            yield f"dimensions: found {name[:80]!r}; a context field has 1 to 64 printable characters"


def _timezone(key: str, name: str) -> Iterator[str]:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not found, a directory, a path outside
        yield f"{key}: found {name[:80]!r}; use an IANA name like Europe/Berlin"
        return
    if name in _NO_ZONES or name.startswith(_COPIES):
        yield f"{key}: {name[:80]!r} is a file of this machine, no IANA name; use one like Europe/Berlin"


def _traffic(settings: Settings) -> Iterator[str]:
    named = [("bots.patterns", pattern) for pattern in settings.bots.patterns]
    named += [
        (f"exclude.{name}", p) for name, patterns in settings.exclude.items() for p in patterns
    ]
    for key, pattern in named:
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"{key}: {pattern[:80]!r} is not a regular expression: {error}"


def _web(settings: Settings) -> Iterator[str]:
    web = settings.web
    yield from _pair("web.tls_certfile", web.tls_certfile, "web.tls_keyfile", web.tls_keyfile)
    if web.prometheus_url and not re.match(r"https?://[^/@\s]+(/\S*)?$", web.prometheus_url):
        yield "web.prometheus_url: is not an address like http://127.0.0.1:9090; correct it"


def _pair(cert_key: str, cert: str, key_key: str, key: str) -> Iterator[str]:
    if bool(cert) != bool(key):
        unset, given = (key_key, cert_key) if cert else (cert_key, key_key)
        yield f"{unset}: is not set but {given} is; give both or neither"
    yield from _readable(cert_key, cert)
    yield from _readable(key_key, key)


def _is_encrypted(file: str) -> bool:
    try:
        return "ENCRYPTED" in Path(file).read_text("ascii", "replace")
    except OSError:
        return False  # Another rule says so.


def _readable(key: str, file: str) -> Iterator[str]:
    if file and not Path(file).is_file():
        yield f"{key}: there is no file {file}; correct the path"
