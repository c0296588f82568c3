"""Settings of the connections to Kafka and Redis, with their secrets."""

from typing import Annotated, Literal
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from msgspec import Meta
from msgspec.structs import force_setattr

from stream.settings.table import AtLeastOne, Help, Seconds, Table


class Secret:
    """A text that hides itself in `repr`, `str`, logs and errors; `reveal()` returns it."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text; call this only to hand it to a client library."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "***" if self._text else "(not set)"


class KafkaSettings(Table, frozen=True, kw_only=True):
    """Connection to Kafka, and how a worker takes part in its consumer group."""

    bootstrap_servers: Annotated[
        str,
        Help(
            "Brokers to connect to first, as host:port, separated by commas.",
            why="The default is a broker on this machine.",
            basic=True,
        ),
    ] = "127.0.0.1:9092"
    protocol: Annotated[
        Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"],
        Help(
            "Encryption and login of the connection.",
            {
                "plaintext": "neither",
                "ssl": "encrypted",
                "sasl_plaintext": "login with a password, not encrypted",
                "sasl_ssl": "encrypted, login with a password",
            },
            "The default suits a broker on this machine; another machine needs kafka.allow_insecure.",
            basic=True,
        ),
    ] = "plaintext"
    sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
        Help(
            "How a password is proven, with a sasl protocol.",
            {
                "PLAIN": "the password itself is sent",
                "SCRAM-SHA-256": "a proof is sent, made with SHA-256",
                "SCRAM-SHA-512": "a proof is sent, made with SHA-512",
            },
            "The default never sends the password.",
            basic=True,
        ),
    ] = "SCRAM-SHA-512"
    sasl_username: Annotated[
        str, Help("User name of the login; needed with a sasl protocol.", basic=True)
    ] = ""
    sasl_password: Annotated[
        Secret,
        Help(
            "Password of the login. Keep it out of engage.toml: name a file that holds it in the "
            "variable ENGAGE_KAFKA_SASL_PASSWORD_FILE.",
            basic=True,
        ),
    ] = Secret()
    ssl_cafile: Annotated[
        str,
        Help(
            "PEM file of the authority that signed the brokers' certificates.",
            {'""': "the authorities that the system trusts"},
            basic=True,
        ),
    ] = ""
    ssl_certfile: Annotated[
        str, Help("PEM file of this client's certificate, for mutual TLS.", {'""': "none"})
    ] = ""
    ssl_keyfile: Annotated[
        str, Help("PEM file of the key of kafka.ssl_certfile.", {'""': "none"})
    ] = ""
    ssl_key_password: Annotated[
        Secret,
        Help(
            "Password of an encrypted kafka.ssl_keyfile. Keep it out of engage.toml: name a file that "
            "holds it in the variable ENGAGE_KAFKA_SSL_KEY_PASSWORD_FILE.",
        ),
    ] = Secret()
    session_timeout_seconds: Annotated[
        AtLeastOne,
        Help(
            "Silence after which a worker counts as dead and loses its partitions.",
            why="10 s: with Faust's 60 s, live numbers would stand still for a minute.",
        ),
    ] = 10
    heartbeat_seconds: Annotated[
        AtLeastOne,
        Help(
            "Time between two signs of life of a worker.",
            why="A third of kafka.session_timeout_seconds, as Kafka advises.",
        ),
    ] = 3
    fetch_max_wait_ms: Annotated[
        AtLeastOne,
        Help(
            "Longest wait of one fetch for new records, in milliseconds.",
            why="With Faust's 1,500 ms, idle partitions hold up busy ones.",
        ),
    ] = 100
    max_partition_fetch_bytes: Annotated[
        Annotated[int, Meta(ge=64 * 1024)],
        Help(
            "Most bytes of one partition in one fetch, which is one batch.",
            why="1 MiB bounds the memory of a worker.",
        ),
    ] = 1_048_576
    group: Annotated[str, Help("Name of the consumer group.", {'""': "the value of app"})] = ""
    allow_insecure: Annotated[
        bool,
        Help(
            "Whether an unencrypted connection to another machine is allowed.",
            {"true": "allowed, for a network that is trusted", "false": "the start is refused"},
            basic=True,
        ),
    ] = False


class RedisSettings(Table, frozen=True, kw_only=True):
    """Connection to Redis, which stores the state."""

    url: Annotated[
        str,
        Help(
            "Address of Redis, as redis://HOST:PORT/NUMBER; rediss:// is encrypted. A password in it "
            "is taken out and hidden.",
            why="The default is a Redis on this machine.",
            basic=True,
        ),
    ] = "redis://127.0.0.1:6379/0"
    password: Annotated[
        Secret,
        Help(
            "Password of Redis. Keep it out of engage.toml: name a file that holds it in the variable "
            "ENGAGE_REDIS_PASSWORD_FILE.",
            basic=True,
        ),
    ] = Secret()
    cluster: Annotated[
        bool,
        Help(
            "Whether redis.url belongs to a Redis Cluster.",
            {"true": "a cluster, in which each shard lives in one slot", "false": "one server"},
        ),
    ] = False
    socket_timeout_seconds: Annotated[
        Seconds,
        Help(
            "Longest wait for an answer of Redis.",
            why="2 s: a stalled Redis must not outlast kafka.session_timeout_seconds.",
        ),
    ] = 2.0
    ssl_cafile: Annotated[
        str,
        Help(
            "PEM file of the authority that signed the certificate of a rediss:// address.",
            {'""': "the authorities that the system trusts"},
        ),
    ] = ""
    ssl_certfile: Annotated[
        str,
        Help(
            "PEM file of this client's certificate, for a Redis that asks for one "
            "(tls-auth-clients yes).",
            {'""': "none"},
        ),
    ] = ""
    ssl_keyfile: Annotated[
        str, Help("PEM file of the key of redis.ssl_certfile.", {'""': "none"})
    ] = ""
    ssl_key_password: Annotated[
        Secret,
        Help(
            "Password of an encrypted redis.ssl_keyfile. Keep it out of engage.toml: name a file that "
            "holds it in the variable ENGAGE_REDIS_SSL_KEY_PASSWORD_FILE.",
        ),
    ] = Secret()

    def __post_init__(self) -> None:
        url, password = _without_password(self.url)
        force_setattr(self, "url", url)
        if password and not self.password:
            force_setattr(self, "password", Secret(password))


def _without_password(url: str) -> tuple[str, str]:
    """Split a URL into itself without its password, and the password; errors never repeat the URL."""
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
