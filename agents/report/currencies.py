"""Digits after the point of the currencies of ISO 4217."""

_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DIGITS_OF = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}
#: Digits of most currencies, and of an unknown one.
_USUAL = 2


def digits_of(currency: str | None) -> int:
    """Return the digits after the point of an amount: JPY has none, KWD three, most have two."""
    return _DIGITS_OF.get((currency or "").upper(), _USUAL)
