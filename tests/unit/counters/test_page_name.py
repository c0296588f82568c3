"""Page names: one page for all ways to write its URL, and no user name or password in any."""

import pytest

from stream.counters.page_name import NAME_MAX, PageNames, without_userinfo
from stream.settings.pages import PageSettings


def name(url: str, **settings: object) -> str:
    return PageNames(PageSettings(**settings)).of(url)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://x.example/a/b", "/a/b"),
        ("https://x.example/a/b/?q=http://y.example/#c", "/a/b"),
        ("https://x.example", "/"),
        ("https://x.example?q=1", "/"),
        ("//x.example/a", "/a"),
        ("//blog/post", "/blog/post"),
        ("https://x.example//blog/post", "/blog/post"),
        ("/a", "/a"),
        ("/a/", "/a"),
        ("/a//", "/a"),
        ("/a ", "/a"),
        (" /a/ ", "/a"),
        ("/a%20", "/a"),
        ("/%61", "/a"),
        ("/A", "/A"),
        ("/amp/a", "/amp/a"),
        ("/a;jsessionid=1", "/a"),
        ("/a;JSESSIONID=1.node/b", "/a/b"),
        ("/caf%C3%A9", "/caf\u00e9"),
        ("/cafe\u0301", "/caf\u00e9"),
        ("/cafe%CC%81", "/caf\u00e9"),
        ("/", "/"),
        ("?q=1", "/"),
        ("#top", "/"),
        ("catalog", "catalog"),
        (" catalog ", "catalog"),
        ("vandelay.com/", "vandelay.com/"),
        ("/go/http://y.example/z", "/go/http://y.example/z"),
        ("/a\x1fb", "/ab"),
        ("/a\nb", "/ab"),
        ("/Ä/%20b", "/Ä/ b"),
        # Escapes that would mean something else, or nothing that can be printed, stay.
        ("/a%2fb%3Fc%23d%25e", "/a%2Fb%3Fc%23d%25e"),
        ("/a%1fb%00%ff%C3", "/a%1Fb%00%FF%C3"),
        ("/100%", "/100%"),
        ("/%zz", "/%zz"),
        ("/@jane", "/@jane"),
        ("/" + "x" * 400, "/" + "x" * (NAME_MAX - 1)),
    ],
)
def test_a_page_is_the_path_of_a_url_in_one_form(url: str, page: str) -> None:
    assert name(url) == page


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://Docs.Example/a/", "docs.example/a"),
        ("https://docs.example", "docs.example/"),
        ("https://docs.example./a", "docs.example/a"),
        ("//docs.example:8080/a?b", "docs.example:8080/a"),
        ("https://docs.example:443/a", "docs.example/a"),
        ("http://docs.example:80/a", "docs.example/a"),
        ("http://docs.example:443/a", "docs.example:443/a"),
        ("https://docs.example:/a", "docs.example/a"),
        ("https://[2001:db8::1]:443/a", "[2001:db8::1]/a"),
        ("/a", "/a"),
        ("catalog", "catalog"),
    ],
)
def test_hosts_can_separate_pages(url: str, page: str) -> None:
    assert name(url, hosts=True) == page


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("myapp://settings", "myapp://settings"),
        ("myapp://settings/", "myapp://settings"),
        ("MyApp://cart/items/?x=1", "myapp://cart/items"),
        ("android-app://shop/cart/", "android-app://shop/cart"),
        ("file:///a", "file:///a"),
        ("myapp://jane:pw@cart", "myapp://cart"),
    ],
)
def test_a_deep_link_is_a_page_of_its_own(url: str, page: str) -> None:
    assert name(url) == name(url, hosts=True) == page


@pytest.mark.parametrize(
    "url",
    [
        "https://admin:s3cret@intra.example/a",
        "https://admin:s3@cret@intra.example/a",
        "HTTPS:/\\\\admin:s3cret@intra.example\\a",
        "https:admin:s3cret@intra.example/a",
        "ht\ntps://adm\tin:s3cret@intra.example/a",
        "//admin:s3cret@intra.example/a",
        "admin:s3cret@intra.example/a",
        "/go//admin:s3cret@intra.example/a",
        "/go/https://admin:s3cret@intra.example/a",
        "myapp://admin:s3cret@intra.example/a",
        "https://x.example/a?next=https://admin:s3cret@intra.example",
        "https://x.example/a?next=https%3A%2F%2Fadmin:s3cret%40intra.example",
        "https://x.example/#/go//admin:s3cret@intra.example",
    ],
)
def test_no_page_shows_a_password(url: str) -> None:
    for hosts in (False, True):
        found = name(url, hosts=hosts, query_keep=("next",))
        assert "cret" not in found
        assert "admin" not in found


def test_no_other_text_that_is_a_url_shows_a_password() -> None:
    assert without_userinfo("https://a:b@x.example/c@d") == "https://x.example/c@d"
    assert without_userinfo("jane@example.org") == "jane@example.org"


def test_hash_routes_are_pages_and_places_in_a_page_are_none() -> None:
    routes = ("/#/settings", "/#/settings/", "https://x.example/#/settings?tab=1", "#/settings")
    assert {name(url) for url in routes} == {"/#/settings"}
    assert name("/app#!/x") == "/app#!/x"
    assert name("/#/") == name("/#!/") == name("/#top") == "/"
    assert name("/app#/x", hash_routes=False) == "/app"


def test_listed_keys_of_the_query_are_part_of_a_page() -> None:
    assert name("/?p=12&utm_source=n", query_keep=("p",)) == "/?p=12"
    assert name("/?b=2&a=1&b=%33", query_keep=("a", "b")) == "/?a=1&b=2&b=3"
    assert name("/?p=&q=1", query_keep=("p",)) == "/"
    assert name("/?p=a+b%26c#/x?p=2", query_keep=("p",)) == "/?p=a b%26c&p=2#/x"
