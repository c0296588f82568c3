"""Reader of inputs: forms and compressions by content, damaged files, and lines without an end."""

import gzip
import io
import os
import threading
from pathlib import Path

import cramjam
import pytest

from schemas.codec import RejectedEvent, parse
from stream.report.input import LINE_MAX, check_readable, read_items
from stream.report.opening import InputError

VIEW = b'{"type":"page_view","event_id":"%d","event_time":1700000000000,"visitor_id":"v"}'


def views(count: int, first: int = 0) -> list[bytes]:
    return [VIEW % number for number in range(first, first + count)]


def written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def test_lines_come_without_their_ends_and_include_blank_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = written(tmp_path / "a.jsonl", b"1\n\n 2 \r\n3")
    packed = written(tmp_path / "b", gzip.compress(b"4\n") + gzip.compress(b"5"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"6\n")))
    assert list(read_items(plain)) == [b"1", b"", b" 2 ", b"3"]
    assert list(read_items(packed)) == [b"4", b"5"]
    assert list(read_items("-")) == [b"6"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.gz", "a.zst", "a"])
def test_the_content_tells_the_compression_not_the_name(tmp_path: Path, name: str) -> None:
    text = b"\n".join(views(3))
    for content in (text, gzip.compress(text), bytes(cramjam.zstd.compress(text))):
        assert list(read_items(written(tmp_path / name, content))) == views(3)


def test_standard_input_is_told_by_its_content_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (gzip.compress(b"[%b]" % b",".join(views(2))), b"\xef\xbb\xbf" + views(1)[0]):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        found = list(read_items("-"))
        assert found == views(len(found))


@pytest.mark.parametrize(
    "compress", [gzip.compress, lambda text: bytes(cramjam.zstd.compress(text))]
)
def test_the_lines_before_a_damage_come_first(tmp_path: Path, compress: object) -> None:
    path, count = tmp_path / "a.gz", 0
    packed = compress(b"".join(b"%d\n" % (n * 7919 % 100_003) for n in range(300_000)))  # type: ignore[operator]
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError) as caught:
        for line in read_items(str(path)):
            assert line == b"%d" % (count * 7919 % 100_003)
            count += 1
    assert 1_000 < count < 300_000
    assert f"a.gz is damaged or cut short after line {count:,} (" in str(caught.value)


@pytest.mark.parametrize("line", [b"abcd", b"abcd\n", b"abc\n", b"abc"])
def test_a_line_is_truncated_at_the_maximum_and_the_next_one_is_whole(
    tmp_path: Path, line: bytes
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(line + b"e" * 20 + b"\nf\n" if line[-1:] != b"\n" else line + b"f\n")
    first, *rest = read_items(str(path), 5)
    assert first == (line.rstrip() if line[-1:] == b"\n" else (line + b"ee")[:5])
    assert rest == [b"f"]


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl does not exist"):
        check_readable(["-", str(tmp_path / "none.jsonl")])
    with pytest.raises(InputError, match="is a directory; name the files in it"):
        check_readable([str(tmp_path)])
    with pytest.raises(InputError, match="cannot be read after line 0: Is a directory"):
        list(read_items(str(tmp_path)))


def test_a_fifo_is_read_like_a_file(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(b"\n".join(views(3)),))
    writer.start()
    check_readable([str(fifo)])
    assert list(read_items(str(fifo))) == views(3)
    writer.join()


def test_text_in_utf_16_is_refused_with_the_command_that_converts_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is UTF-16; convert it: iconv -f UTF-16 -t UTF-8"):
        list(read_items(written(tmp_path / "a", VIEW.decode().encode("utf-16"))))


# ---- arrays


@pytest.mark.parametrize("text", [
    b"[%b]", b"\xef\xbb\xbf \n[ %b\n]\n", b"[%b][]\n[]", b"[]\n[%b]",
])  # fmt: skip
def test_an_array_gives_its_elements(tmp_path: Path, text: bytes) -> None:
    nasty = b'{"a":"},{\\"],[","b":{"c":[{},{}]}}'
    items = [nasty, *views(2), b"1", b'"x"', b"[[1],{}]", b"{}"]
    name = written(tmp_path / "a", text % b" ,\n".join(items))
    assert list(read_items(name)) == items


def test_an_array_larger_than_a_chunk_is_read_in_parts(tmp_path: Path) -> None:
    items = views(20_000)
    name = written(tmp_path / "a", b"[" + b",".join(items) + b"]")
    assert list(read_items(name)) == items


@pytest.mark.parametrize(
    "filling", [b'"x":"%b"' % (b"y],[{" * 60_000), b'"x":[%b0]' % (b"[1],{}," * 40_000)]
)
def test_a_long_element_is_cut_and_the_next_one_is_whole(tmp_path: Path, filling: bytes) -> None:
    name = written(tmp_path / "a", b"[{%b},%b]" % (filling, views(1)[0]))
    long, *rest = read_items(name)
    assert isinstance(long, bytes) and len(long) == LINE_MAX
    assert rest == views(1)


def test_a_deep_element_is_one_item_and_no_event_is_found_inside(tmp_path: Path) -> None:
    deep = b'{"a":' + b"[" * 5_000 + views(1)[0] + b"," + views(1)[0] + b"]" * 5_000 + b"}"
    name = written(tmp_path / "a", b"[%b,%b]" % (deep, views(1)[0]))
    assert list(read_items(name)) == [deep, *views(1)]


def test_nested_arrays_are_elements_not_events(tmp_path: Path) -> None:
    inner = b"[%b]" % b",".join(views(2))
    assert list(read_items(written(tmp_path / "a", b"[%b]" % inner))) == [inner]


@pytest.mark.parametrize(("end", "why"), [
    (b"", "the array has no end"), (b',{"a":1', "the array has no end"),
    (b',{"a":tru},1]', "malformed"), (b',{"a":1} {"a":1}]', "malformed"), (b"]x", "text follows the array"),
])  # fmt: skip
def test_a_broken_array_gives_what_came_before(tmp_path: Path, end: bytes, why: str) -> None:
    name = written(tmp_path / "a", b"[" + b",".join(views(3)) + end)
    found: list[object] = []
    with pytest.raises(InputError, match=f"after line 3 .*{why}"):
        for item in read_items(name):
            found.append(item)
    assert found == views(3)


# ---- tables


CSV = b"""type,event_id,event_time,visitor_id,user_id,page_url,context.country,is_bot,order_id,revenue,quantity,other
page_view,1,2024-03-10T10:00:00Z,v1,,"/a,b",de,false,,,,x
page_view,2,1700000000000,v1,,/c,,TRUE,,,,
order,3,2024-03-10T10:00:00Z,,u1,,,,o1,12.50,,
"""


def test_a_row_of_csv_is_an_event_with_the_types_of_its_fields(tmp_path: Path) -> None:
    header, *rows = read_items(written(tmp_path / "a.txt", CSV))
    events = [parse(row)[0] for row in rows if isinstance(row, bytes)]
    assert header == b"" and len(events) == 3
    first, second, order = events
    assert (first.page_url, first.context, first.is_bot, first.user_id) == (  # type: ignore[union-attr]
        "/a,b", {"country": "de"}, False, None,
    )  # fmt: skip
    assert (second.event_time, second.is_bot, second.context) == (1_700_000_000_000, True, None)
    assert (order.order_id, order.revenue) == ("o1", 12.5)  # type: ignore[union-attr]


@pytest.mark.parametrize("delimiter", [b";", b"\t", b"|"])
def test_the_delimiter_of_csv_is_found(tmp_path: Path, delimiter: bytes) -> None:
    text = b"\xef\xbb\xbfevent_id,type,event_time,visitor_id\r\n1,page_view,1700000000000,v\r\n"
    _, row = read_items(written(tmp_path / "a.csv", text.replace(b",", delimiter)))
    assert isinstance(row, bytes) and parse(row)[0].event_id == "1"


def test_only_the_wrong_rows_of_csv_are_refused(tmp_path: Path) -> None:
    text = b"type,event_id,event_time,visitor_id\n" + b"".join([
        b"page_view,1,1700000000000,v\n", b"page_view,2,1700000000000,v,more\n", b"\n",
        b"page_view,\xff,1700000000000,v\n", b'page_view,"3"x,1700000000000,v\n',
        b"page_view,%b,1700000000000,v\n" % (b"4" * 1_000_000), b"page_view,5,1700000000000,v\n",
    ])  # fmt: skip
    _, *items = read_items(written(tmp_path / "a.csv", text))
    assert [type(item) for item in items] == [
        bytes, RejectedEvent, bytes, RejectedEvent, RejectedEvent, RejectedEvent, bytes,
    ]  # fmt: skip
    details = [f"{i.reason}: {i.detail}" for i in items if isinstance(i, RejectedEvent)]
    assert details[0] == "malformed: 5 cells; the header has 4"
    assert details[1].startswith("malformed: the row is not UTF-8")
    assert details[3].startswith("too_large: field larger than field limit")


@pytest.mark.parametrize(("header", "why"), [
    ("event_id,event_time", "has no column type;"),
    ("event_id", "has no column type and no column event_time;"),
    ("type,event_id,event_time,site,site", "has two columns named 'site'"),
])  # fmt: skip
def test_a_header_that_cannot_be_of_events_is_explained(
    tmp_path: Path, header: str, why: str
) -> None:
    with pytest.raises(InputError, match=f"a.csv {why}"):
        list(read_items(written(tmp_path / "a.csv", header.encode() + b"\n1,2\n")))


def test_a_damaged_parquet_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a is no whole Parquet file"):
        list(read_items(written(tmp_path / "a", b"PAR1" + bytes(1000))))


def test_parquet_without_the_extra_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"python -m pip install 'engagement-stream\[files\]'"):
        list(read_items(written(tmp_path / "a", b"PAR1" + bytes(1000))))


def test_parquet_columns_of_any_type_become_the_fields_of_events(tmp_path: Path) -> None:
    import datetime
    import decimal

    import pyarrow as pa
    from pyarrow import parquet

    moment = datetime.datetime(2024, 3, 10, 10, tzinfo=datetime.UTC)
    rows = {
        "type": pa.array(["order", "order"]).dictionary_encode(),
        "event_id": ["1", "2"],
        "event_time": pa.array([moment, moment], pa.timestamp("ns", "Europe/Berlin")),
        "user_id": ["u", None],
        "visitor_id": [None, "v"],
        "order_id": ["a", "b"],
        "revenue": pa.array([decimal.Decimal("12.50"), None], pa.decimal128(9, 2)),
        "is_bot": [False, None],
        "context": pa.array([[("country", "de")], None], pa.map_(pa.string(), pa.string())),
        "context.level": [3, None],
    }
    path = tmp_path / "a.bin"
    parquet.write_table(pa.table(rows), path)
    first, second = [parse(item) for item in read_items(str(path)) if isinstance(item, bytes)]
    assert first[0].context == {"country": "de", "level": "3"}
    assert (first[0].revenue, first[1]) == (12.5, 1_710_064_800_000)  # type: ignore[union-attr]
    assert (second[0].user_id, second[0].context) == (None, None)


def test_binary_garbage_is_named_line_by_line_and_never_fails(tmp_path: Path) -> None:
    for seed in range(50):
        content = os.urandom(seed * 37)
        items = list(read_items(written(tmp_path / "a", b"\x00" + content)))
        assert all(isinstance(item, bytes) for item in items)
