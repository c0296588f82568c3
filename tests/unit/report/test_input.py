"""Reader of event files: compressed files, damaged files, and lines without an end."""

import gzip
import io
from pathlib import Path

import pytest

from stream.report.input import InputError, check_readable, read_lines


def test_lines_come_without_their_ends_and_include_blank_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"1\n\n 2 \r\n3")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"4\n") + gzip.compress(b"5"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"6\n")))
    assert list(read_lines(str(tmp_path / "a.jsonl"))) == [b"1", b"", b" 2 ", b"3"]
    assert list(read_lines(str(tmp_path / "b.gz"))) == [b"4", b"5"]
    assert list(read_lines("-")) == [b"6"]


def test_the_lines_before_a_damage_come_first(tmp_path: Path) -> None:
    path, count = tmp_path / "a.gz", 0
    packed = gzip.compress(b"".join(b"%d\n" % number for number in range(100_000)))
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError) as caught:
        for line in read_lines(str(path)):
            assert line == b"%d" % count
            count += 1
    assert 10_000 < count < 100_000
    assert f"a.gz is damaged or cut short after line {count:,} (" in str(caught.value)


def test_a_file_with_the_wrong_suffix_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(gzip.compress(b"x\n"))
    with pytest.raises(InputError, match=r"a\.jsonl is compressed; name it \.gz"):
        list(read_lines(str(path)))
    path = path.rename(tmp_path / "b.gz")
    assert list(read_lines(str(path))) == [b"x"]
    path.write_bytes(b"x\n")
    with pytest.raises(InputError, match=r"b\.gz is not a gzip file"):
        list(read_lines(str(path)))


@pytest.mark.parametrize("line", [b"abcd", b"abcd\n", b"abc\n", b"abc"])
def test_a_line_is_truncated_at_the_maximum_and_the_next_one_is_whole(
    tmp_path: Path, line: bytes
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(line + b"e" * 20 + b"\nf\n" if line[-1:] != b"\n" else line + b"f\n")
    first, *rest = read_lines(str(path), 5)
    assert first == (line.rstrip() if line[-1:] == b"\n" else (line + b"ee")[:5])
    assert rest == [b"f"]


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl does not exist"):
        check_readable(["-", str(tmp_path / "none.jsonl")])
    with pytest.raises(InputError, match="cannot be read after line 0: Is a directory"):
        list(read_lines(str(tmp_path)))
