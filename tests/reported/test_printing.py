"""The right look of numbers that were printed misleadingly."""

import csv
import io

from tests.reported.cases import case, report


@case("compare_negative_base")
def test_a_rise_from_a_negative_score_is_a_rise() -> None:
    arguments = ("--compare", "--metric", "nps", "--window", "day", "nps_negative.jsonl")
    shown = report(*arguments, format="table").stdout
    assert "40.0 (+80 points)" in shown and "-20.0 (-60 points)" in shown
    assert "%" not in shown


@case("csv_bare_cr")
def test_a_bare_carriage_return_stays_within_its_cell() -> None:
    arguments = ("--metric", "page_views_per_page", "--window", "all", "csv_cr_plain.jsonl")
    text = report(*arguments, format="csv").stdout
    assert [row["value"] for row in csv.DictReader(io.StringIO(text, newline=""))] == ["1"]


@case("table_labels_cut")
def test_two_pages_look_different() -> None:
    arguments = ("--metric", "page_views_per_page", "--window", "all", "long_labels.jsonl")
    labels = [
        line.rpartition(" = ")[2].split()[0]
        for line in report(*arguments, format="table").stdout.splitlines()
        if " = " in line
    ]
    assert len(labels) == len(set(labels)) > 2
    assert {"/one", "/two"} <= {label[-4:] for label in labels}


@case("jpy_decimals")
def test_yen_have_no_decimals() -> None:
    arguments = ("--metric", "revenue", "--window", "all", "jpy.jsonl")
    shown = report(*arguments, format="table", settings="jpy.toml").stdout
    assert "1,501 JPY" in shown and "1,501." not in shown
