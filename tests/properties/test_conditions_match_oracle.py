"""Conditions on page_url, reasons and currencies select the events of their definition."""

import re
from fnmatch import fnmatchcase

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events.orders import Order
from schemas.events.page_views import PageView
from schemas.events.subscriptions import SubscriptionEnded
from stream.history.event_filter import predicate
from stream.settings.definitions import Selection
from stream.settings.pages import PageSettings
from tests.oracle.page_names import page_name

_URLS = st.sampled_from([
    None, "", "/", "/cart", "/cart/", "/Cart", "/%63art", "/cart?x=1", "/cart#top", "/cart#/pay", "cart",
    "https://x.test/cart", "http://x.test/cart/", "https://u:pw@x.test:443/cart", "app://cart",
    "https://x.test/cart?p=1", "/shop/cart;jsessionid=1", "/" + "c" * 300,
])  # fmt: skip
_CONDITIONS = st.sampled_from([
    "", "/", "/cart", "/cart/", "/Cart", "cart", "*cart", "/c*", "*", "*/pay", "/cart#/pay", "app://cart",
    "https://x.test/cart", "http*", "https://*/cart", "x.test/cart", "x.test/*", "/" + "c" * 300,
])  # fmt: skip
_SPELLINGS = st.sampled_from(
    [None, "", "payment_failed", "Payment Failed", "PAYMENT-FAILED", "payment failed ", "other"]
)
_PLAIN = {"event_id": "e", "event_time": 1_741_943_486_535, "visitor_id": "v"}


@settings(max_examples=600)
@given(_URLS, st.lists(_CONDITIONS, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_a_condition_on_page_url_selects_pages_or_from_http_on_urls(
    url: str | None, wanted: list[str], hosts: bool, hash_routes: bool
) -> None:
    chosen = PageSettings(hosts=hosts, hash_routes=hash_routes)

    def page(of: str) -> str:
        return page_name(of, hosts=hosts, query_keep=(), hash_routes=hash_routes)[:256]

    def is_wanted(one: str) -> bool:
        if not url or not one:
            return not url and not one
        if one.startswith("http"):
            return fnmatchcase(url, one.replace("?", "[?]"))
        return fnmatchcase(page(url), one) if "*" in one else page(url) == page(one)

    selection = Selection(type="page_view", where={"page_url": tuple(wanted)})
    found = predicate(selection, chosen)(PageView(page_url=url, **_PLAIN))  # type: ignore[arg-type]
    assert found is any(map(is_wanted, wanted))


@given(_SPELLINGS, _SPELLINGS.filter(bool))
def test_a_condition_on_a_reason_selects_all_its_spellings(given: str | None, wanted: str) -> None:
    test = predicate(Selection(type="subscription_ended", where={"reason": wanted}), PageSettings())
    event = SubscriptionEnded(subscription_id="s", reason=given, **_PLAIN)  # type: ignore[arg-type]
    one, other = (re.findall("[a-z]+", text.lower()) for text in (given or "", wanted))
    assert test(event) is (one == other)


@given(st.sampled_from([None, "EUR", "eur", "Eur", "USD"]), st.sampled_from(["EUR", "eur", "usd"]))
def test_a_condition_on_a_currency_selects_letters_of_any_case(
    given: str | None, wanted: str
) -> None:
    test = predicate(Selection(type="order", where={"currency": wanted}), PageSettings())
    event = Order(order_id="o", currency=given, **_PLAIN)  # type: ignore[arg-type]
    assert test(event) is ((given or "").lower() == wanted.lower())
