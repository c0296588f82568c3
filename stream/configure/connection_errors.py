"""Errors of the clients of Kafka and Redis in plain words: a cause, and one mend.

By class name and text, because three client libraries name the same trouble differently, and most of
them put the cause into the error behind the one they raise.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Server = Literal["kafka", "redis"]


class Explained(NamedTuple):
    """A cause, which completes "Kafka at …: ", and what to do about it."""

    cause: str
    mend: str

    def __str__(self) -> str:
        return f"{self.cause}; {self.mend}"


#: Pattern of "Class: text" → cause, mend. `{s}` is kafka or redis, `{address}` the setting of its
#: address. The first that fits wins; those of certificates stand before those of connections.
_TABLE: tuple[tuple[str, str, str], ...] = (
    (r"CERTIFICATE_VERIFY_FAILED.*(local issuer|self.signed|unable to get issuer)",
     "its certificate is signed by an authority that is not trusted",
     "set {s}.ssl_cafile to the certificate of that authority"),
    (r"CERTIFICATE_VERIFY_FAILED.*has expired", "its certificate has expired",
     "renew the certificate of the server, or correct this machine's clock"),
    (r"CERTIFICATE_VERIFY_FAILED.*not yet valid", "its certificate is not valid yet",
     "correct this machine's clock"),
    (r"CERTIFICATE_VERIFY_FAILED.*(mismatch|not valid for)",
     "its certificate is for another name", "write a name of its certificate into {address}"),
    (r"CERTIFICATE_VERIFY_FAILED", "its certificate cannot be verified",
     "set {s}.ssl_cafile to the certificate of its authority"),
    (r"CERTIFICATE_REQUIRED", "it asks for a client certificate",
     "set {s}.ssl_certfile and {s}.ssl_keyfile"),
    (r"ALERT_CERTIFICATE_EXPIRED", "it refuses this client's certificate, which has expired",
     "renew {s}.ssl_certfile"),
    (r"ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_REVOKED)",
     "it does not trust this client's certificate",
     "have {s}.ssl_certfile signed by an authority that the server trusts"),
    (r"ALERT_HANDSHAKE_FAILURE", "it refuses the encrypted connection",
     "give a client certificate if it asks for one: {s}.ssl_certfile and {s}.ssl_keyfile"),
    (r"KEY_VALUES_MISMATCH", "the certificate and the key of this client do not belong together",
     "correct {s}.ssl_certfile or {s}.ssl_keyfile"),
    (r"PEM lib|BAD_DECRYPT|bad decrypt|BAD_PASSWORD|NO_START_LINE",
     "a file of this client's certificate cannot be read: it is encrypted, or no PEM file",
     "set {s}.ssl_key_password (a file: ENGAGE_{S}_SSL_KEY_PASSWORD_FILE), or correct the file"),
    (r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST|handshake operation timed out",
     "it does not speak TLS at that port", "correct the port, or the encryption in {encryption}"),
    (r"SaslAuthenticationFailed|Authentication failed|invalid username-password|WRONGPASS",
     "it refuses user or password", "correct {login}"),
    (r"AuthenticationRequired|NOAUTH|already authenticated|Authentication required",
     "it asks for a password", "set {login}"),
    (r"UnsupportedSaslMechanism", "it does not offer the mechanism of the login",
     "set {s}.sasl_mechanism to one that its listener has"),
    (r"IllegalSaslState", "its listener at that port has no login",
     "set {s}.protocol to that of the listener, or correct the port"),
    (r"NoPermission|NOPERM", "a right is missing: {text}",
     "grant it: ACL SETUSER … ~{{engage:* +@all -@dangerous +info"),
    (r"GroupAuthorizationFailed", "the right READ on group {group} is missing",
     "grant it: kafka-acls --add --allow-principal … --operation Read --group {group}"),
    (r"TopicAuthorizationFailed", "a right on topics is missing: {text}",
     "grant READ and DESCRIBE on inputs, WRITE and DESCRIBE on outputs; `engage check` names them"),
    (r"ClusterAuthorizationFailed", "a right on the cluster is missing",
     "grant what `engage check` names"),
    (r"MOVED|CLUSTERDOWN|CROSSSLOT|Cluster mode is not enabled",
     "redis.cluster does not fit the server: {text}", "correct redis.cluster"),
    (r"MISCONF", "it cannot write to its disk", "make room on the disk of Redis"),
    (r"READONLY|ReadOnly", "it is a replica, which takes no writes",
     "write the address of the primary into redis.url"),
    (r"\bOOM\b|OutOfMemory", "its memory is full", "raise maxmemory of Redis"),
    (r"BusyLoading|LOADING", "it is still loading its data", "wait until it has loaded them"),
    (r"gaierror|Name or service not known|nodename nor servname|Temporary failure in name",
     "its name is not known", "correct {address}"),
    (r"ConnectionRefused|Connection refused|Connect call failed|Errno 111",
     "nothing listens there", "start it, or correct {address}"),
    (r"Timeout|timed out", "it does not answer in time",
     "look at the server and at the network between; or correct {address}"),
    (r"EOF occurred|UNEXPECTED_EOF|[Cc]onnection reset|closed|BrokenPipe|Errno 104",
     "it closes the connection", "correct the port, or the encryption and login in {encryption}"),
    (r"FileNotFound|PermissionError|IsADirectory", "a file of its certificates cannot be read: {text}",
     "correct the path or its permissions in {s}.ssl_*"),
    (r"Unable to bootstrap|NoBrokersAvailable|KafkaConnectionError|NodeNotReady",
     "no broker answers", "start it, or correct {address} and {encryption}"),
)  # fmt: skip
_ADDRESS = {
    "kafka": "kafka.bootstrap_servers (ENGAGE_KAFKA_BOOTSTRAP_SERVERS)",
    "redis": "redis.url (ENGAGE_REDIS_URL)",
}
_ENCRYPTION = {"kafka": "kafka.protocol", "redis": "redis.url (redis:// or rediss://)"}
_LOGIN = {
    "kafka": "kafka.sasl_username and kafka.sasl_password",
    "redis": "redis.password and the user in redis.url",
}
_TEXT_MAX = 160


def explain(error: BaseException, server: Server, *, group: str = "") -> Explained:
    """Return the cause of an error and what to do; the error's own words if it is not known."""
    texts = [f"{type(one).__name__}: {one}" for one in _chain(error)]
    for pattern, cause, mend in _TABLE:
        for text in texts:
            if re.search(pattern, text):
                _, _, own = text.partition(": ")
                words = {
                    "s": server, "S": server.upper(), "address": _ADDRESS[server], "group": group,
                    "encryption": _ENCRYPTION[server], "login": _LOGIN[server],
                    "text": own[:_TEXT_MAX],
                }  # fmt: skip
                return Explained(cause.format(**words), mend.format(**words))
    return Explained(texts[0][:_TEXT_MAX], "look at its log, and correct " + _ADDRESS[server])


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those behind it, the first cause first."""
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.append(one)
        one = one.__cause__ or one.__context__
    return reversed(found)
