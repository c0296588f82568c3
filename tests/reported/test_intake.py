"""The right value of what arrives in forms of its own: empty fields, long URLs, unusual numbers."""

from tests.reported.cases import case, report


@case("null_and_empty")
def test_null_and_an_empty_text_are_a_missing_field() -> None:
    found = report("null_empty_forms.jsonl")
    # Ten of eleven: a number in the context is no text, and that is named.
    assert found.value("page_views") == 10
    assert found.value("sessions") == 1
    assert "$.context" in found.stderr


@case("long_urls")
def test_a_view_with_a_long_url_counts() -> None:
    found = report("long_urls.jsonl")
    assert found.value("page_views") == 6
    assert found.value("page_views_per_page", page="/a") == 1
    assert found.value("page_views_per_page", page="/b") == 1


@case("numbers_as_strings")
def test_a_number_in_quotes_is_refused_with_advice() -> None:
    found = report("numbers_as_strings.jsonl")
    assert found.value("orders") == 1
    assert "source mapping" in found.stderr


@case("time_forms")
def test_an_unusual_time_is_refused_with_advice() -> None:
    found = report("time_forms.jsonl")
    assert found.value("page_views") == 4
    assert "RFC 3339" in found.stderr
