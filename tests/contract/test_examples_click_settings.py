"""Examples of the clicks that count, and of the denominators of click-through."""

from typing import Any

import pytest

from schemas.outputs import WindowKind
from stream.configure.load import SettingsError, load_settings
from stream.metrics.catalogue import catalogue
from stream.settings.application import CtrSettings, Settings
from tests.contract.test_worked_examples import Event, on, records, records_by

#: Of 4 people with impressions, 2 have two each, and 2 click; a fifth person clicks without an
#: impression.
SEEN = [on(1, "impression", who, n, content_id="c") for n in (0, 10) for who in "ab"]
SEEN += [on(1, "impression", who, 20, content_id="d") for who in "xy"]


def parts(
    events: list[Event], metric: str, kind: WindowKind = "day", **choices: Any
) -> list[tuple[float | None, float | None]]:
    found = records(events, metric, kind, Settings(ctr=CtrSettings(**choices)))
    return [(one.numerator, one.denominator) for one in found if one.numerator or one.denominator]


def test_unique_click_through_divides_by_impressions_or_by_viewers() -> None:
    events = [
        *SEEN,
        on(1, "click", "a", 11, content_id="c"),
        on(1, "click", "x", 21, content_id="d"),
    ]
    assert parts(events, "unique_click_through_rate") == [(2, 6)]
    assert parts(events, "unique_click_through_rate", denominator="unique_viewers") == [(2, 4)]


def test_a_viewer_on_two_days_counts_on_both() -> None:
    events = [on(day, "impression", "a", n, content_id="c") for day in (1, 2) for n in (0, 1)]
    found = parts(events, "unique_click_through_rate", denominator="unique_viewers")
    assert found == [(0, 1), (0, 1)]


def test_click_through_keeps_impressions_as_denominator_with_unique_viewers() -> None:
    events = [*SEEN, on(1, "click", "a", 11, content_id="c")]
    assert parts(events, "click_through_rate", denominator="unique_viewers") == [(1, 6)]


#: Clicks 5 and 30 min after the impression; 31 min after; before it; on other content; by another
#: person.
CLICKS = [
    on(1, "click", "a", 15, content_id="c"), on(1, "click", "a", 40, content_id="c"),
    on(1, "click", "b", 41, content_id="c"), on(1, "click", "x", 19, content_id="d"),
    on(1, "click", "y", 25, content_id="c"), on(1, "click", "z", 25, content_id="d"),
]  # fmt: skip


def test_a_click_counts_within_half_an_hour_of_the_last_impression() -> None:
    events = [*SEEN, *CLICKS]
    assert parts(events, "click_through_rate") == [(6, 6)]
    assert parts(events, "click_through_rate", match_impression=True) == [(2, 6)]
    assert parts(events, "unique_click_through_rate", match_impression=True) == [(1, 6)]


@pytest.mark.parametrize(("seconds", "matched"), [(299, 0), (300, 1), (1799, 1), (1860, 3)])
def test_the_attribution_window_has_the_configured_length(seconds: int, matched: int) -> None:
    choices = {"match_impression": True, "attribution_window_seconds": seconds}
    assert parts([*SEEN, *CLICKS], "click_through_rate", **choices) == [(matched, 6)]


def test_a_click_counts_in_the_window_and_the_segment_of_its_impression() -> None:
    # 23:55 on the 1st, and ten minutes later, in another country.
    night, german, french = 11 * 60 + 55, {"country": "DE"}, {"country": "FR"}
    events = [
        on(1, "impression", "a", night, content_id="c", context=german),
        on(1, "click", "a", night + 10, content_id="c", context=french),
        on(2, "impression", "b", content_id="c", context=french),
    ]
    assert parts(events, "click_through_rate") == [(0, 1), (1, 1)]
    assert parts(events, "click_through_rate", match_impression=True) == [(1, 1), (0, 1)]
    settings = Settings(ctr=CtrSettings(match_impression=True))
    found = records_by(events, "click_through_rate", "all", settings)
    by_country = {one.dimensions.get("country"): one.value for one in found}
    assert by_country == {None: 1 / 2, "DE": 1, "FR": 0}


def test_content_has_its_own_matched_clicks() -> None:
    settings = Settings(ctr=CtrSettings(match_impression=True))
    found = records_by([*SEEN, *CLICKS], "content_click_through_rate", "day", settings)
    assert {one.dimensions["content"]: one.value for one in found} == {"c": 2 / 4, "d": 0}


def test_two_clicks_at_one_instant_count_twice() -> None:
    events = [*SEEN, *(on(1, "click", "a", 15, content_id="c", event_id=n) for n in ("one", "two"))]
    assert parts(events, "click_through_rate", match_impression=True) == [(2, 6)]


def test_the_formulas_name_the_settings() -> None:
    settings = Settings(ctr=CtrSettings(denominator="unique_viewers", match_impression=True))
    formulas = {metric.name: metric.formula for metric in catalogue(settings)}
    assert formulas["click_through_rate"] == (
        "clicks on content shown at most 1800 s before ÷ impressions"
    )
    assert formulas["unique_click_through_rate"].endswith("÷ distinct people with an impression")


@pytest.mark.parametrize(
    ("environ", "fragment"),
    [
        ({"ENGAGE_CTR_DENOMINATOR": "viewers"}, "ctr.denominator"),
        ({"ENGAGE_CTR_ATTRIBUTION_WINDOW_SECONDS": "3601"}, "ctr.attribution_window_seconds"),
        (
            {"ENGAGE_CTR_MATCH_IMPRESSION": "true", "ENGAGE_CTR_DENOMINATOR": "page_views"},
            "not a share of page views",
        ),
    ],
)
def test_impossible_click_settings_are_refused(environ: dict[str, str], fragment: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, environ)
    assert any(fragment in problem for problem in caught.value.problems)
