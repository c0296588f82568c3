"""Page names: what counts as one page, made from the URL of an event."""

import re
from functools import lru_cache
from unicodedata import normalize

from stream.settings.pages import PageSettings

#: Joins the values of combined dimensions; no name may contain it.
_JOINT = "\x1f"
#: Characters of a page name kept: it is a label that people read.
NAME_MAX = 256
#: Characters of a path read: with all of them escaped, more than a name keeps.
_PATH_MAX = 4_096
#: Page names cached, and the longest URL cached: queries make their number unbounded.
_CACHE_MAX = 20_000
URL_CACHED_MAX = 2_048

#: Browsers skip these characters wherever they stand in a URL.
_SKIPPED = str.maketrans("", "", f"\t\r\n{_JOINT}")
_WEB = re.compile(r"(https?):[/\\]*", re.IGNORECASE)
_LINK = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
#: A path that begins with two slashes names a host only if its first part looks like one.
_HOST = re.compile(r"[/\\]{2}(?=[^/\\]*[.:@\[])")
_USERINFO = re.compile(r"//[^/\\\s]*@")
_NAME_USERINFO = re.compile(r"\A[^/@:\s]*:[^/@\s]*@")
_DEFAULT_PORT = {"http": "80", "https": "443"}
_SESSION = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
_ESCAPES = re.compile(r"(?:%[0-9a-fA-F]{2})+")
#: Characters that stay escaped, as they would mean something else in a path, or in a query.
_IN_PATH, _IN_QUERY = frozenset("/\\?#%;"), frozenset("&=#%")
_ROUTE = re.compile(r"(!?)(/.*)", re.DOTALL)


def without_userinfo(text: str) -> str:
    """Return a text whose URLs have lost the user name and password before their host."""
    return _USERINFO.sub("//", text) if "@" in text else text


class PageNames:
    """Names the pages of URLs, as `[pages]` says what one page is."""

    def __init__(self, settings: PageSettings) -> None:
        self._hosts = settings.hosts
        self._query_keep = frozenset(settings.query_keep)
        self._hash_routes = settings.hash_routes
        self._known: dict[str, str] = {}

    def of(self, url: str) -> str:
        """Return the page of a URL, cut to NAME_MAX characters."""
        found = self._known.get(url)
        if found is None:
            found = self.whole(url)[:NAME_MAX]
            if len(url) <= URL_CACHED_MAX:
                if len(self._known) >= _CACHE_MAX:
                    self._known.clear()
                self._known[url] = found
        return found

    def whole(self, url: str) -> str:
        """Return the page of a URL in full.

        A text without a scheme and a leading slash is a page name and stays as it is.
        """
        head, _, fragment = url.translate(_SKIPPED).strip().partition("#")
        head, _, query = head.partition("?")
        route, in_route = self._route(fragment)
        page = self._base(head) + self._kept(query, in_route) + route
        return _printable(without_userinfo(page)) or "/"

    def _base(self, head: str) -> str:
        if web := _WEB.match(head) or _HOST.match(head):
            authority, path = _split(head[web.end() :])
            host = _host(authority, web[1].lower() if web.re is _WEB else "")
            return (host if self._hosts else "") + _path(path)
        if link := _LINK.match(head):
            # The first part after the scheme of an app is no host but its screen.
            authority, path = _split(head[link.end() :])
            path = _path(path)
            return f"{link[0].lower()}{authority.rpartition('@')[2]}{'' if path == '/' else path}"
        if not head or head[0] in "/\\":
            return _path(head)
        return normalize("NFC", _NAME_USERINFO.sub("", head)).strip()

    def _route(self, fragment: str) -> tuple[str, str]:
        """Return a hash route, empty if the fragment is none, and the query in it."""
        found = _ROUTE.match(fragment) if self._hash_routes else None
        if found is None:
            return "", ""
        head, _, query = found[2].partition("#")[0].partition("?")
        path = _path(head)
        return f"#{found[1]}{path}" if path != "/" else "", query

    def _kept(self, *queries: str) -> str:
        """Return the listed keys of queries with their values, in the order of their names."""
        if not self._query_keep:
            return ""
        pairs = []
        for pair in "&".join(queries).split("&"):
            key, _, given = pair.partition("=")
            name = _of_query(key)
            if name in self._query_keep and (value := _of_query(given).strip()):
                pairs.append((name, value))
        pairs.sort(key=lambda pair: pair[0])
        return "?" * bool(pairs) + "&".join(f"{name}={value}" for name, value in pairs)


@lru_cache(maxsize=16)
def page_names(settings: PageSettings) -> PageNames:
    """Return the namer of these settings; equal settings share one, and its cache."""
    return PageNames(settings)


def _split(rest: str) -> tuple[str, str]:
    """Return the authority, up to the first slash, and the path."""
    authority, slash, path = rest.replace("\\", "/").partition("/")
    return authority.strip(), slash + path


def _host(authority: str, scheme: str) -> str:
    """Return a host in small letters, with its port unless that is the scheme's own."""
    host = authority.rpartition("@")[2].lower()
    name, colon, port = host.rpartition(":")
    if colon and port in ("", _DEFAULT_PORT.get(scheme, "")):
        host = name
    return host.rstrip(".")


def _of_query(text: str) -> str:
    """Return a key or a value of a query, decoded."""
    return _decoded(text.replace("+", " "), _IN_QUERY)


def _path(path: str) -> str:
    """Return a path in one form: decoded, without session id, and without slashes at its ends."""
    head = path[:_PATH_MAX].replace("\\", "/")
    decoded = _decoded(_SESSION.sub("", head), _IN_PATH).strip()
    end = len(decoded)
    while end and (decoded[end - 1] == "/" or decoded[end - 1].isspace()):
        end -= 1
    return "/" + decoded[:end].lstrip("/")


def _decoded(text: str, kept: frozenset[str]) -> str:
    """Decode escapes, except those of characters in `kept`; compose accents (NFC)."""
    if "%" in text:
        text = _ESCAPES.sub(lambda found: _characters(found[0], kept), text)
    return text if text.isascii() else normalize("NFC", text)


def _characters(escapes: str, kept: frozenset[str]) -> str:
    # Bytes that are no UTF-8 come out as lone surrogates, which are escaped again in the end.
    text = bytes.fromhex(escapes.replace("%", "")).decode(errors="surrogateescape")
    return "".join(f"%{ord(one):02X}" if one in kept else one for one in text)


def _printable(text: str) -> str:
    """Escape the characters of a label that do not show."""
    if text.isprintable():
        return text
    return "".join(
        one
        if one.isprintable()
        else "".join(f"%{byte:02X}" for byte in one.encode(errors="surrogateescape"))
        for one in text
    )
