"""Pages of URLs by their definition, one step of the definition after the other.

"one page: /a /a/ /%61 ;jsessionid and NFC/NFD forms; hash routes (#/x, #!/x) and listed query keys are
pages of their own"; "the authority of a deep link is part of its page"; "userinfo never is".
"""

import re
import unicodedata
from urllib.parse import unquote

#: A private character that no drawn URL holds stands for an escape that must stay.
_STAYS = "\ue000"


def page_name(url: str, *, hosts: bool, query_keep: tuple[str, ...], hash_routes: bool) -> str:
    """Return the page of a URL, before it is cut to 256 characters."""
    text = "".join(one for one in url if one not in "\t\r\n\x1f").strip()
    before, _, fragment = text.partition("#")
    place, _, query = before.partition("?")
    route = ""
    if hash_routes and re.match(r"!?/", fragment):
        inner, _, inner_query = fragment.partition("#")[0].partition("?")
        bang, inner = ("!", inner[1:]) if inner.startswith("!") else ("", inner)
        query += "&" + inner_query
        if _clean_path(inner) != "/":
            route = f"#{bang}{_clean_path(inner)}"
    page = _place(place, hosts) + _query(query, query_keep) + route
    page = re.sub(r"//[^/\\\s]*@", "//", page)
    return "".join(one if one.isprintable() else _escaped(one) for one in page) or "/"


def _place(place: str, hosts: bool) -> str:
    """Return the page without query and fragment."""
    scheme = place.partition(":")[0].lower()
    if scheme in ("http", "https") and ":" in place:
        rest = place.partition(":")[2].lstrip("/\\").replace("\\", "/")
        return _on_host(scheme, rest, hosts)
    if re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) and place[len(scheme) :].startswith("://"):
        authority, _, path = place[len(scheme) + 3 :].replace("\\", "/").partition("/")
        path = _clean_path(path)
        return f"{scheme}://{authority.strip().split('@')[-1]}{path if path != '/' else ''}"
    if place == "" or place[0] in "/\\":
        first = re.split(r"[/\\]", place[2:])[0]
        if re.match(r"[/\\]{2}", place) and set(first) & set(".:@["):
            return _on_host("", place[2:].replace("\\", "/"), hosts)
        return _clean_path(place)
    name = re.sub(r"^[^/@\s]*:[^/@\s]*@", "", place)
    return unicodedata.normalize("NFC", name).strip()


def _on_host(scheme: str, rest: str, hosts: bool) -> str:
    authority, _, path = rest.partition("/")
    host = authority.strip().split("@")[-1].lower()
    for port in {"http": (":80", ":"), "https": (":443", ":")}.get(scheme, (":",)):
        if host.endswith(port):
            host = host[: -len(port)]
            break
    return (host.rstrip(".") if hosts else "") + _clean_path(path)


def _clean_path(path: str) -> str:
    segments = re.sub(r";jsessionid=[^/;]*", "", path.replace("\\", "/"), flags=re.IGNORECASE)
    text = _unescaped(segments, "/\\?#%;").strip()
    while text and (text[-1] == "/" or text[-1].isspace()):
        text = text[:-1]
    return "/" + text.lstrip("/")


def _query(query: str, query_keep: tuple[str, ...]) -> str:
    found = []
    for part in query.replace("+", " ").split("&"):
        name, _, value = part.partition("=")
        name, value = (_unescaped(one, "&=#%") for one in (name, value))
        if name in query_keep and value.strip():
            found.append((name, value.strip()))
    found.sort(key=lambda pair: pair[0])
    return ("?" if found else "") + "&".join(f"{name}={value}" for name, value in found)


def _unescaped(text: str, stays: str) -> str:
    """Decode escapes, except those of the characters in `stays`, and compose accents."""
    for one in stays:
        text = re.sub(f"%{ord(one):02x}", f"{_STAYS}{ord(one):02X}", text, flags=re.IGNORECASE)
    text = unquote(text, errors="surrogateescape").replace(_STAYS, "%")
    return unicodedata.normalize("NFC", text)


def _escaped(one: str) -> str:
    return "".join(f"%{byte:02X}" for byte in one.encode(errors="surrogateescape"))
