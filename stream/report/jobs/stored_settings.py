"""Settings as bytes for a job, without secrets: a report talks to no server."""

from typing import Any

import msgspec

from stream.settings.application import Settings
from stream.settings.connections import Secret


def encode_settings(settings: Settings) -> bytes:
    """Encode settings, each secret as nothing."""
    return _encode(settings)


def decode_settings(raw: bytes) -> Settings:
    """Decode settings. Raises msgspec.DecodeError."""
    return _decode(raw)


def _without_secret(value: object) -> str:
    if not isinstance(value, Secret):
        raise NotImplementedError(type(value).__name__)
    return ""


def _secret(kind: type, value: Any) -> Any:
    return Secret(value) if kind is Secret else value


_encode = msgspec.msgpack.Encoder(enc_hook=_without_secret).encode
_decode = msgspec.msgpack.Decoder(Settings, dec_hook=_secret).decode
