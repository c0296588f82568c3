"""Page names match the oracle's for any URL put together from pieces that matter."""

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.counters.page_name import PageNames
from stream.settings.pages import PageSettings
from tests.oracle.page_names import page_name

_PIECES = st.sampled_from([
    "http:", "https:", "HTTP:", "app:", "//", "/", "\\", "x.test", "X.test.", "blog", "cart", "@", ":",
    ":80", ":443", "u:pw@", "[::1]", "?", "&", "=", "p", "p=", "q=1", "#", "#/", "#!/", "!", ";",
    ";jsessionid=1", "%", "%61", "%2f", "%2F", "%25", "%3F", "%C3%A9", "%CC%81", "%ff", "%00", "e",
    "\u0301", "é", " ", "%20", "+", "\t", "\n", "\x1f", "%1F", "\u00a0", "%C2%A0", "\u200b", ".", "A",
])  # fmt: skip
_urls = st.lists(_PIECES, min_size=1, max_size=9).map("".join)


@settings(max_examples=2_000)
@given(_urls, st.booleans(), st.sampled_from([(), ("p",), ("q", "p")]), st.booleans())
def test_a_url_has_the_page_of_its_definition(
    url: str, hosts: bool, query_keep: tuple[str, ...], hash_routes: bool
) -> None:
    chosen = PageSettings(hosts=hosts, query_keep=query_keep, hash_routes=hash_routes)
    name = PageNames(chosen).whole(url)
    assert name == page_name(url, hosts=hosts, query_keep=query_keep, hash_routes=hash_routes)
    assert name.isprintable()
    assert name
