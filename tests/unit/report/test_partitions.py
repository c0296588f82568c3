"""With partitions a report counts each person in the shard of their key, and adds up all shards."""

import json
import random
from io import StringIO
from pathlib import Path

import pytest
from aiokafka.partitioner import DefaultPartitioner
from msgspec.structs import replace
from rich.console import Console

from agents.commands.replay import Router
from agents.report.counting import count_files, print_advice
from schemas.codec import parse
from schemas.outputs import WindowKind
from stream.configure.compile import build_rules
from stream.report.file_report import Report
from stream.report.partitions import partition_of
from stream.settings.application import Settings

KINDS: tuple[WindowKind, ...] = ("all", "day", "week")
START_MS = 1_700_000_000_000


def written(path: Path, events: list[dict[str, object]]) -> str:
    path.write_text("\n".join(map(json.dumps, events)))
    return str(path)


def shop(people: int = 80) -> list[dict[str, object]]:
    """Return visits of people of two sites who do not log in, in order of their times."""
    rng, events = random.Random(5), []
    for who in range(people):
        site, at_ms = ("shop", "blog")[who % 2], START_MS + rng.randrange(5 * 86_400_000)
        for view in range(rng.randrange(1, 5)):
            common = {"visitor_id": f"v{who}", "site": site, "session_id": f"s{who}",
                      "context": {"country": rng.choice(["DE", "FR"])}}  # fmt: skip
            at_ms += rng.randrange(90_000)
            events.append(
                {"type": "page_view", "page_url": f"/{view}", "event_time": at_ms} | common
            )
        if who % 5 == 0:
            cart = {"cart_id": f"c{who}", "event_time": at_ms + 5, "revenue": 5}
            events.append({"type": "add_to_cart"} | cart | common)
            events.append({"type": "order", "order_id": f"o{who}"} | cart | common)
        events.append({"type": "social_reach", "post_id": "p", "network": "x", "count": 3,
                       "event_time": at_ms, "site": site})  # fmt: skip
    for number, event in enumerate(events):
        event["event_id"] = f"e{number}"
    return sorted(events, key=lambda event: int(str(event["event_time"])))


def login() -> list[dict[str, object]]:
    """Return ten sessions in which somebody logs in, and fills a cart before and orders it after."""
    events: list[dict[str, object]] = []
    for who in range(10):
        at_ms = START_MS + who * 86_400_000
        visitor = {"visitor_id": f"v{who}", "session_id": f"s{who}", "cart_id": f"c{who}"}
        user = visitor | {"user_id": f"u{who}", "order_id": f"o{who}"}
        for number, (kind, ids) in enumerate(
            (("page_view", visitor), ("add_to_cart", visitor), ("page_view", user), ("order", user))
        ):
            events.append({"type": kind, "event_id": f"e{who}-{number}", "page_url": "/",
                           "event_time": at_ms + number * 1000} | ids)  # fmt: skip
    return events


def counted(settings: Settings, file: str, partitions: int, as_log: bool = False) -> Report:
    quiet = Console(file=StringIO())
    return count_files(settings, [file], quiet, as_log=as_log, partitions=partitions)


@pytest.mark.parametrize("as_log", [False, True])
def test_people_of_one_id_give_the_same_numbers_on_any_number_of_partitions(
    tmp_path: Path, as_log: bool
) -> None:
    file = written(tmp_path / "shop.jsonl", shop())
    settings = replace(Settings(), dimensions=("country",))
    one, many = (counted(settings, file, n, as_log) for n in (1, 7))
    assert many.accounting() == one.accounting()
    # Twice, as an overview and a page ask for them.
    for _ in range(2):
        found = [sorted(report.records((), KINDS), key=str) for report in (one, many)]
        assert len(found[0]) > 300
        assert found[0] == found[1]
    cells = [list(report.triangles("first_time", ["week"])) for report in (one, many)]
    assert cells[0] and cells[0] == cells[1]
    assert sum(shard.topics["files"].next > 0 for shard in many._shards) == 7
    assert many.id_changes.take_counts() == (0, 0)


def test_a_log_in_makes_two_people_and_is_reported(tmp_path: Path) -> None:
    file = written(tmp_path / "login.jsonl", login())
    by_user, by_visitor = Settings(), replace(Settings(), identity="visitor")
    for settings, partitions, sessions, said in (
        (by_user, 1, 10, "10 sessions and 10 carts carry different person ids"),
        (by_user, 64, 20, "its parts are counted apart"),
        (by_visitor, 64, 10, ""),
    ):
        report = counted(settings, file, partitions)
        [record] = report.records(["sessions"], ["all"])
        assert record.value == sessions
        errors = Console(file=StringIO(), width=1000)
        print_advice(settings, report, errors)
        text = errors.file.getvalue()  # type: ignore[attr-defined]
        assert said in text and bool(text) == bool(said)
        assert ("--partitions N" in text) == (partitions == 1)


@pytest.mark.parametrize("identity", ["user", "visitor"])
def test_the_partition_is_that_of_a_replay_with_the_default_partitioner(identity: str) -> None:
    settings = replace(Settings(), identity=identity)
    partition, router, all_of = (
        partition_of(build_rules(settings), 12),
        Router(settings),
        list(range(12)),
    )
    for event in [*shop(40), *login(), {"type": "page_view", "event_id": "1", "event_time": START_MS,
                                        "user_id": "undefined", "visitor_id": "v"}]:  # fmt: skip
        raw = json.dumps(event).encode()
        decoded = parse(raw)
        assert partition(decoded) == DefaultPartitioner()(router.route(raw).key, all_of, all_of)
