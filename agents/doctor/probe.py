"""Connects to one server step by step, to find the step that fails: client libraries hide it."""

import contextlib
import socket
import ssl
from datetime import UTC, datetime

TIMEOUT_SECONDS = 3.0
#: A server that refuses this client's certificate says so just after the handshake.
_ALERT_SECONDS = 0.5


def probe(
    host: str, port: int, context: ssl.SSLContext | None, seconds: float = TIMEOUT_SECONDS
) -> datetime | None:
    """Connect, encrypted with a context; return the expiry of the server's certificate.

    Raises what the failing step raises: OSError or ssl.SSLError.
    """
    with socket.create_connection((host, port), seconds) as plain:
        if context is None:
            return None
        with context.wrap_socket(plain, server_hostname=host) as encrypted:
            encrypted.settimeout(_ALERT_SECONDS)
            # A server that is content waits for us. Reading, never writing: writing to a connection
            # that the server has closed hides its reason.
            with contextlib.suppress(TimeoutError):
                if not encrypted.recv(1):
                    raise ConnectionResetError("the server closed the connection")
            return expiry_of(encrypted.getpeercert(binary_form=True) or b"")


def expiry_of(certificate: bytes) -> datetime | None:
    """Return the end of a certificate in DER; None if it cannot be read."""
    try:
        _, tbs, _ = _element(_element(certificate)[1])
        tag, _, rest = _element(tbs)
        if tag == 0xA0:  # The version, which old certificates leave out.
            rest = _element(rest)[2]
        for _ in ("algorithm", "issuer"):
            rest = _element(rest)[2]
        validity = _element(rest)[1]
        tag, moment, _ = _element(_element(validity)[2])
        form = "%y%m%d%H%M%SZ" if tag == 0x17 else "%Y%m%d%H%M%SZ"
        return datetime.strptime(moment.decode(), form).replace(tzinfo=UTC)
    except (IndexError, ValueError):
        return None


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Split DER into the tag of its first element, that element, and the rest."""
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(data[2 : 2 + count]), 2 + count
    return tag, data[start : start + length], data[start + length :]
