"""Suggests the known name that a misspelt one most likely stands for."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return `did you mean NAME?` with the most similar known name, else `otherwise`."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else otherwise


def name_one_of(name: str, known: Iterable[str]) -> str:
    """Return the most similar known name as a question, else all of them."""
    names = sorted(known)
    return did_you_mean(name, names, f"there are {', '.join(names)}")
