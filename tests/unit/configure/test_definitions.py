"""Definitions in engage.toml: the events they select, the messages for wrong ones, where they appear."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.commands.catalogue import as_entries
from schemas.events.clicks import Custom
from schemas.events.orders import Order
from schemas.events.page_views import PageView
from schemas.events.subscriptions import SubscriptionEnded
from stream.configure.check_definitions import broken_definitions
from stream.configure.fingerprints import definition_version
from stream.configure.lines import line_of
from stream.configure.load import SettingsError, load_settings
from stream.configure.sources import to_environment
from stream.history.event_filter import predicate
from stream.settings.application import Settings
from stream.settings.definitions import Selection
from stream.settings.pages import PageSettings

Load = Callable[[str], Settings]
GOOD = """
[measures.wishes]
type = "custom"
where = { name = ["wish", "wishlist_*"], "context.plan" = "pro" }

[measures.wishers]
type = "custom"
count = "people"

[metrics.wishes_per_visit]
numerator = "wishes"
denominator = "sessions"
windows = ["day", "trailing_1h"]
help = "Wishes of a session."

[metrics.wishers]
numerator = "wishers"
unit = "people"

[funnels.shop]
steps = [{ type = "page_view" }, { type = "order" }]

[goals.vip]
type = "order"
where = { revenue = 100 }
"""


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def from_toml(text: str) -> Settings:
        file = tmp_path / "engage.toml"
        file.write_text(text, encoding="utf-8")
        return load_settings(file, {})

    return from_toml


def event(struct: type[Any], **fields: Any) -> Any:
    return struct(event_id="e", event_time=0, user_id="u", **fields)


@pytest.mark.parametrize(
    ("where", "selects"),
    [
        ({}, True),
        ({"name": "wish"}, True),
        ({"name": "other"}, False),
        ({"name": ("other", "wish")}, True),
        ({"name": "w*h"}, True),
        ({"name": "w"}, False),
        ({"name": "*x*"}, False),
        ({"interactive": True}, True),
        ({"interactive": False}, False),
        ({"value": 2.5}, True),
        ({"value": 2}, False),
        ({"name": "wish", "value": 1}, False),
        ({"context.plan": "pro"}, True),
        ({"context.plan": "p*"}, True),
        ({"context.city": "*"}, False),
    ],
)
def test_a_selection_selects_by_its_fields(where: dict[str, Any], selects: bool) -> None:
    wish = event(Custom, name="wish", value=2.5, context={"plan": "pro"})
    assert predicate(Selection(type="custom", where=where), PageSettings())(wish) is selects


def test_a_pattern_is_literal_except_for_its_stars() -> None:
    test = predicate(Selection(type="page_view", where={"page_url": "http*/a.b?*"}), PageSettings())
    assert test(event(PageView, page_url="https://x/a.b?c\nd"))
    assert not test(event(PageView, page_url="https://x/aXb?c"))
    assert not test(event(PageView))


def test_fields_of_a_missing_context_match_no_pattern() -> None:
    selection = Selection(type="order", where={"context.plan": "*"})
    assert not predicate(selection, PageSettings())(event(Order, order_id="o"))


@pytest.mark.parametrize(
    ("wanted", "pages"),
    [
        ("/cart", {"/cart", "/cart/", "/cart?x=1", "https://x.test/cart"}),
        ("/cart/", {"/cart", "/cart/", "/cart?x=1", "https://x.test/cart"}),
        ("/Cart", {"/Cart"}),
        ("/*art", {"/cart", "/cart/", "/cart?x=1", "https://x.test/cart", "/Cart"}),
        ("https://x.test/cart", {"https://x.test/cart"}),
        ("http*cart", {"https://x.test/cart"}),
        ("http*cart/", set()),
        (("/Cart", "https://x.test/cart"), {"/Cart", "https://x.test/cart"}),
    ],
)
def test_a_condition_on_page_url_sees_the_page_or_from_http_on_the_url(
    wanted: Any, pages: set[str]
) -> None:
    test = predicate(Selection(type="page_view", where={"page_url": wanted}), PageSettings())
    urls = ("/cart", "/cart/", "/cart?x=1", "https://x.test/cart", "/Cart")
    assert {url for url in urls if test(event(PageView, page_url=url))} == pages
    assert not test(event(PageView))


def test_an_empty_condition_selects_events_without_the_field() -> None:
    for name in ("page_url", "referrer", "context.plan"):
        test = predicate(Selection(type="page_view", where={name: ""}), PageSettings())
        assert test(event(PageView))
        assert not test(event(PageView, page_url="/", referrer="r", context={"plan": "pro"}))
    referred = predicate(Selection(type="page_view", where={"referrer": "*"}), PageSettings())
    assert not referred(event(PageView, referrer=""))


@pytest.mark.parametrize("reason", ["Payment Failed", "payment-failed", "payment_*", "PAYMENT*"])
def test_a_condition_knows_a_reason_in_any_spelling(reason: str) -> None:
    selection = Selection(type="subscription_ended", where={"reason": reason})
    test = predicate(selection, PageSettings())
    for given in ("payment_failed", "Payment failed", "payment-failed"):
        assert test(event(SubscriptionEnded, subscription_id="s", reason=given))
    assert not test(event(SubscriptionEnded, subscription_id="s", reason="other"))


def test_a_condition_knows_a_currency_in_letters_of_any_case() -> None:
    test = predicate(Selection(type="order", where={"currency": "eur"}), PageSettings())
    assert test(event(Order, order_id="o", currency="EUR"))
    assert test(event(Order, order_id="o", currency="eur"))


@pytest.mark.parametrize(
    ("url", "advice"), [("/s?q=1", "'/s'"), ("/s?q=*", "query"), ("/s#top", "fragment")]
)
def test_a_page_that_no_url_has_is_refused_with_the_page_to_write(url: str, advice: str) -> None:
    goal = {"type": "page_view", "where": {"page_url": url}}
    problems = broken_definitions(msgspec.convert({"goals": {"g": goal}}, Settings))
    assert [advice in problem and "http" in problem for problem in problems] == [True]


def test_own_metrics_are_in_the_catalogue(load: Load) -> None:
    entries = {entry["name"]: entry for entry in as_entries(load(GOOD))}
    entry = entries["wishes_per_visit"]
    assert entry["gauge"] == "engagement_wishes_per_visit_ratio"
    assert entry["gauge_labels"] == ["site", "window"]
    assert (entry["formula"], entry["help"]) == ("wishes ÷ sessions", "Wishes of a session.")
    assert entries["wishers"]["unit"] == "people"
    assert entries["wishers"]["help"] == "Wishers, as engage.toml defines it."


def test_definitions_survive_the_transfer_to_another_process(load: Load) -> None:
    settings = load(GOOD)
    environ = {k: v for k, v in to_environment(settings).items() if k != "ENGAGE_CONFIG"}
    assert load_settings(Path("/dev/null"), environ) == settings


@pytest.mark.parametrize(
    "changed",
    [
        ('"pro"', '"free"'), ('"people"\n\n', '"events"\n\n'), ("revenue = 100", "revenue = 200"),
        ('"day", "trailing_1h"', '"day"'), ('type = "page_view" }', 'type = "order" }'),
    ],
)  # fmt: skip
def test_another_definition_is_another_version(load: Load, changed: tuple[str, str]) -> None:
    assert changed[0] in GOOD
    before = load(GOOD)
    assert definition_version(load(GOOD.replace(*changed))) != definition_version(before)
    assert definition_version(load(GOOD)) == definition_version(before)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('[goals.a]\nwhere = {name = "x"}', "goals.a.type (F:1): is not set; there are add_to_cart,"),
        ('[goals.a]\ntype = "oder"', "goals.a.type (F:2): 'oder' is not an event type; did you mean order?"),
        ('[goals.a]\ntype = "order"\nwhere = {ordr_id = "x"}',
         "goals.a.where (F:3): 'ordr_id' is not a field of order; did you mean order_id?"),
        ('[goals.a]\ntype = "order"\nwhere = {country = "x"}', "did you mean context.country?"),
        ('[goals.a]\ntype = "order"\nwhere = {revenue = "x"}',
         "goals.a.where (F:3): revenue is never 'x' (Expected `float"),
        ('[goals.a]\ntype = "order"\nwhere = {order_id = []}', "the list for order_id is empty"),
        ('[goals.a]\ntype = "order"\nwhere = {"context.plan" = 3}', "context.plan is a text and never 3"),
        ('[goals.a]\ntype = "order"\nwher = 1', "goals.a.wher (F:3): unknown; known here: type, where"),
        ('[goals.a]\ntype = "subscription_renewed"', "take it out of active.passive_types"),
        ('[goals.a]\ntype = "social_impression"', "is not about a person"),
        ('[goals.a]\ntype = "social_followers"', "is not about a person"),
        ('[feature.map]\nx = ""', "feature.map.x (F:2): a feature has 1 to 256 characters"),
        ('[funnels.f]\nsteps = [{type = "order"}]', "funnels.f.steps (F:2): a funnel has at least two"),
        ('[funnels.f]\nsteps = [{type = "order"}, {type = "x"}]', "funnels.f.steps[2].type (F:2): 'x' is"),
        ('[funnels.f]\nsteps = ["order"]', "funnels.f.steps (F:2): found Expected `object`, got `str`"),
        ('[funnels.f]\norder = "any"', "use one of ordered, strict, unordered"),
        ('dimension_values_max = 1\n[funnels.f]\nsteps = [{type = "order"}, {type = "goal"}]',
         "funnels (F:2): 2 steps are more than dimension_values_max 1"),
        ('[measures.A]\ntype = "order"', "measures.A (F:1): use lower-case words"),
        ('[measures.people]\ntype = "order"', "measures.people (F:1): is the name of a built-in"),
        ('[measures.m]\ntype = "order"\ncount = "sum"\nfield = "order_id"',
         "measures.m.field (F:4): 'order_id' is not a number of order; there are quantity, revenue"),
        ('[measures.m]\ntype = "click"\ncount = "sum"', "measures.m.count (F:3): click has no field to add up"),
        ('[measures.m]\ntype = "order"\nfield = "revenue"', 'measures.m.field (F:3): is only for count = "sum"'),
        ('[measures.m]\ntype = "social_impression"\ncount = "people"', "measures.m.type (F:2): social"),
        ('[metrics.m]\ndenominator = "people"', "metrics.m.numerator (F:1): is not set; name one of"),
        ('[metrics.m]\nnumerator = "sesions"', "metrics.m.numerator (F:2): there is no measure 'sesions'; did"),
        ('[metrics.m]\nnumerator = "clicks"\ndenominator = "x"', "metrics.m.denominator (F:3): there is no"),
        ('[metrics.mrr]\nnumerator = "clicks"', "metrics.mrr (F:1): a metric has this name"),
        ('[metrics.bounce_ratio]\nnumerator = "clicks"', "its gauge bounce_ratio is that of bounce_rate"),
        ('[metrics.m]\nnumerator = "clicks"\nwindows = ["dya"]', "metrics.m.windows (F:3): 'dya' is not a window"),
        ('[metrics.m]\nnumerator = "people"\nwindows = ["hour"]', "metrics.m.windows (F:3): people is not counted by"),
        ('[metrics.m]\nnumerator = "clicks"\nwindows = []', "metrics.m.windows (F:3): is empty"),
        ('[metrics.m]\nnumerator = "clicks"\nwindows = ["day", "day"]', "names a window twice"),
        ('[metrics.m]\nnumerator = "clicks"\nunit = "miles"', "metrics.m.unit (F:3): 'miles' is not a unit"),
        ('[metrics.m]\nnumerator = "clicks"\nunit = "ratio"', "metrics.m.denominator (F:1): is not set, and a ratio"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_key_and_line(load: Load, text: str, wanted: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(text)
    [problem] = caught.value.problems
    assert wanted in re.sub(r"[^\s(]*engage\.toml", "F", problem)


def test_all_mistakes_are_reported_and_the_rest_stays_readable(load: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load(
            '[goals.a]\ntype = "x"\n[metrics.m]\nnumerator = "y"\n[metrics.n]\nnumerator = "clicks"'
        )
    assert len(caught.value.problems) == 2
    names = {entry["name"] for entry in as_entries(caught.value.readable)}
    assert ("n" in names, "m" in names) == (True, False)


def test_the_line_of_a_key_is_found() -> None:
    text = 'a = 1\n[b]  # table\nc.d = 2\n"e f" = 3\n[ b . "x.y" ]\nz = """\n"""\n[[l]]\nm = 1'
    keys = {"a": 1, "b": 2, "b.c.d": 3, "b.e": 2, "l.m": 9, "l[2].m": 9, "q": None}
    assert {key: line_of(text, key) for key in keys} == keys


def test_every_table_can_be_encoded_as_json(load: Load) -> None:
    assert (
        json.loads(msgspec.json.encode(load(GOOD).funnels))["shop"]["steps"][1]["type"] == "order"
    )
