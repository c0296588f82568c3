"""Keys of people and of session ids: the only place that makes and reads them.

| key of | plain | if the site or the id holds the joint |
| --- | --- | --- |
| a person | site, joint, id | joint, length of the site, joint, site, id |
| a session id of a site | site, joint, joint, id | joint, joint, length of the site, joint, site, id |

A plain key never begins with the joint, and holds it once or twice in a row. So all four forms differ,
and no two pairs of site and id share a key.
"""

import re

#: Separates a site and an id. Trackers do not send this control character.
_JOINT = "\x1f"
_ESCAPED = re.compile(f"{_JOINT}{{1,2}}([0-9]+){_JOINT}(.*)", re.DOTALL)


def person_key(site: str, who: str) -> str:
    """Return the key of a person of a site."""
    if _JOINT in site or _JOINT in who:
        return f"{_JOINT}{len(site)}{_JOINT}{site}{who}"
    return f"{site}{_JOINT}{who}"


def session_key(site: str, sid: str) -> str:
    """Return the key of the record that keeps the session of an id with session.id_scope = "site"."""
    if _JOINT in site or _JOINT in sid:
        return f"{_JOINT}{_JOINT}{len(site)}{_JOINT}{site}{sid}"
    return f"{site}{_JOINT}{_JOINT}{sid}"


def record_key(site: str, user: str | None, visitor: str | None, *, by_visitor: bool) -> str:
    """Return the key of an event's record in Kafka: its person, or its site without a person.

    `by_visitor`: with identity = "visitor". The default partitioner of producers turns it into the
    partition, and so into the shard.
    """
    first, second = (visitor, user) if by_visitor else (user, visitor)
    return first or second or site


def split_key(key: str) -> tuple[str, str]:
    """Return the site and the id of a key, whichever kind of key it is."""
    escaped = _ESCAPED.fullmatch(key)
    if escaped is None:
        site, _, rest = key.partition(_JOINT)
        return site, rest.removeprefix(_JOINT)
    length, rest = escaped.groups()
    return rest[: int(length)], rest[int(length) :]
