"""The grammar of paths."""

import pytest

from schemas.mapping.lookup import look_up
from schemas.mapping.paths import PathError, Select, parse_path
from schemas.mapping.record import Record


@pytest.mark.parametrize(
    ("text", "root", "steps"),
    [
        ("a", "", ("a",)),
        ("a.b", "", ("a", "b")),
        ('a."x:y.z".c', "", ("a", "x:y.z", "c")),
        ("xdm:web.xdm:URL", "", ("xdm:web", "xdm:URL")),
        ("@id", "", ("@id",)),
        ("a[0].b", "", ("a", 0, "b")),
        ("a[-1]", "", ("a", -1)),
        ("a[key=ga_id].v", "", ("a", Select("key", "ga_id"), "v")),
        ('a["b c"="d]e"]', "", ("a", Select("b c", "d]e"))),
        ("properties.$url", "", ("properties", "$url")),
        ("$key", "key", ()),
        ("$key.id", "key", ("id",)),
        ("$headers.ce_id", "headers", ("ce_id",)),
        ('$headers."content-type"', "headers", ("content-type",)),
        ("$record.now", "record", ("now",)),
        ("$timestamp", "timestamp", ()),
    ],
)
def test_a_path_is_read(text: str, root: str, steps: tuple[object, ...]) -> None:
    path = parse_path(text)
    assert (path.root, path.steps, path.text) == (root, steps, text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        (".a", "begins with a dot"),
        ("a..b", "see character 2"),
        ("a.", "see character 2"),
        ("a[", "see character 2"),
        ("a[x]", "see character 2"),
        ('a"b"', "see character 2"),
        ("$headers", "names no header"),
        ("$timestamp.a", "has no fields"),
        (".".join("abcdefghijklm"), "13 steps; at most 12"),
    ],
)
def test_what_is_no_path_is_refused_with_the_place(text: str, why: str) -> None:
    with pytest.raises(PathError, match=why.replace("$", "\\$")):
        parse_path(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b[1].c", 7),
        ("a.b[k=x].c", 8),
        ("a.b[9]", None),
        ("a.c.d", None),
        ("a.b.c", None),
        ("$key.id", 3),
        ("$key", '{"id":3}'),
        ("$headers.h", "v"),
        ("$headers.none", None),
        ("$timestamp", 5),
        ("$index", 2),
    ],
)
def test_a_path_finds_its_value_or_nothing(text: str, value: object) -> None:
    item = {"a": {"b": [{"k": "x", "c": 8}, {"c": 7}]}}
    record = Record(value=b"", key=b'{"id":3}', headers={"h": b"v"}, timestamp=5)
    assert look_up(parse_path(text), item, record, 2) == value


def test_a_key_with_its_schema_is_its_payload() -> None:
    record = Record(value=b"", key=b'{"schema":{},"payload":{"id":3}}')
    assert look_up(parse_path("$key.id"), {}, record) == 3
    assert look_up(parse_path("$key.id"), {}, Record(value=b"", key=b"\xff")) is None
