"""Spellings: a reason or a currency that is written in several ways is one."""

from collections.abc import Callable, Mapping
from typing import Final


def reason_key(reason: str) -> str:
    """Return the letters and digits of a reason, small: "Payment Failed" and "payment-failed" are one."""
    return "".join(filter(str.isalnum, reason.casefold()))


#: Field of an event → the form in which its values are compared.
SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "reason": reason_key,
    "currency": str.upper,
}
