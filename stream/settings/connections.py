"""How to reach Kafka and Redis, and the secrets that this takes."""

from typing import Annotated, Literal
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

# The text inside each `Annotated` is the documentation of that setting: `engage check` and the
# README print it, so it says what the value does and why the default is what it is.
AtLeastOne = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class Secret:
    """A text that never shows itself in `repr`, `str`, logs or errors; `reveal()` gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself; call it only where it is handed to a client library."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "***" if self._text else "(not set)"


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of engage.toml."""


class KafkaSettings(Table, frozen=True, kw_only=True):
    bootstrap_servers: Annotated[str, "host:port, comma-separated; a broker on this machine"] = (
        "127.0.0.1:9092"
    )
    protocol: Annotated[
        Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"],
        "plaintext and sasl_plaintext are for this machine only, see allow_insecure",
    ] = "plaintext"
    sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
        "SCRAM never sends the password itself; used only with a sasl protocol",
    ] = "SCRAM-SHA-512"
    sasl_username: Annotated[str, "needed with a sasl protocol"] = ""
    sasl_password: Annotated[Secret, "secret; better given as ENGAGE_KAFKA_SASL_PASSWORD_FILE"] = (
        Secret()
    )
    ssl_cafile: Annotated[str, "PEM of the authority to trust; empty: the system's"] = ""
    ssl_certfile: Annotated[str, "PEM of this client's certificate, for mutual TLS"] = ""
    ssl_keyfile: Annotated[str, "PEM of this client's key, for mutual TLS"] = ""
    session_timeout_seconds: Annotated[
        AtLeastOne, "how long a dead worker keeps its partitions; Faust's 60 s is too long for live"
    ] = 10
    heartbeat_seconds: Annotated[AtLeastOne, "a third of the session time, as Kafka advises"] = 3
    fetch_max_wait_ms: Annotated[
        AtLeastOne, "Faust's 1500 ms stalls busy partitions behind idle ones"
    ] = 100
    max_partition_fetch_bytes: Annotated[
        Annotated[int, Meta(ge=64 * 1024)], "1 MiB: one batch a partition; bounds memory"
    ] = 1_048_576
    group: Annotated[str, "consumer group; empty: the name of the app"] = ""
    allow_insecure: Annotated[
        bool, "true: talk unencrypted to a broker on another machine; else start-up refuses"
    ] = False


class RedisSettings(Table, frozen=True, kw_only=True):
    url: Annotated[str, "redis:// or rediss:// (TLS); a password in it is taken out and hidden"] = (
        "redis://127.0.0.1:6379/0"
    )
    password: Annotated[Secret, "secret; better given as ENGAGE_REDIS_PASSWORD_FILE"] = Secret()
    cluster: Annotated[bool, "true for Redis Cluster; every shard lives in one slot"] = False
    socket_timeout_seconds: Annotated[
        Seconds, "2 s: a stalled Redis must not outlast the Kafka session"
    ] = 2.0
    ssl_cafile: Annotated[str, "PEM of the authority to trust with rediss://; empty: system's"] = ""

    def __post_init__(self) -> None:
        url, password = _without_password(self.url)
        force_setattr(self, "url", url)
        if password and not self.password:
            force_setattr(self, "password", Secret(password))


def _without_password(url: str) -> tuple[str, str]:
    """The URL with its password cut out, and the password; errors never repeat the URL."""
    wanted = "is not a URL like redis://[user:password@]host[:port][/number]; percent-encode "
    wanted += "special characters of the password, or give it as `password`"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"url {wanted}") from None
    if parts.scheme not in ("redis", "rediss") or not host or parts.query or parts.fragment:
        raise ValueError(f"url {wanted}")
    if parts.path.strip("/") and not parts.path.strip("/").isdecimal():
        raise ValueError(f"url {wanted}")
    if parts.password is None:
        return url, ""
    place = f"[{host}]" if ":" in host else host
    user = f"{quote(unquote(parts.username), safe='')}@" if parts.username else ""
    netloc = f"{user}{place}" + (f":{port}" if port else "")
    return urlunsplit((parts.scheme, netloc, parts.path, "", "")), unquote(parts.password)
