"""The right values of inputs that are compressed, cut short, in other formats or left out in part."""

from tests.reported.cases import case, report

VIEWS = ("--metric", "page_views", "--window", "all")


@case("silent_left_out")
def test_everything_left_out_is_named() -> None:
    found = report(
        "silent_left_out.jsonl", "--metric", "orders", "--window", "all",
        settings="silent_left_out.toml",
    )  # fmt: skip
    assert found.value("orders") == 1
    assert [line.split("  ")[0] for line in found.stderr.splitlines()] == [
        "5 lines read", "1 counted", "1 other currency", "2 bot", "1 excluded",
    ]  # fmt: skip


@case("truncated_gz_exit_code")
def test_a_truncated_file_has_exit_code_one() -> None:
    found = report("trunc.jsonl.gz", *VIEWS)
    assert (found.code, found.value("page_views")) == (1, 1_492)
    assert "trunc.jsonl.gz is damaged or cut short after line 1,492" in found.stderr
