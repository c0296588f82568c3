"""Settings of the intake: topics, time, duplicates, ids, bots, dead letters."""

from typing import Annotated, Literal

from msgspec import Meta

from stream.settings.table import AtLeastOne, Help, NotNegative, Seconds, Share, Table

INPUT_ROLES = (
    "page_views", "clicks", "sessions", "subscriptions", "orders", "feedback", "social",
)  # fmt: skip
_OFF = {'""': "not read"}


class TopicSettings(Table, frozen=True, kw_only=True):
    """Kafka topics. An input topic may carry any event type; name one topic if you have only one."""

    page_views: Annotated[
        str, Help("Input topic of page views and heartbeats.", _OFF, basic=True)
    ] = "page-views"
    clicks: Annotated[
        str, Help("Input topic of impressions, clicks and custom events.", _OFF, basic=True)
    ] = "clicks"
    sessions: Annotated[str, Help("Input topic of session starts and ends.", _OFF, basic=True)] = (
        "sessions"
    )
    subscriptions: Annotated[str, Help("Input topic of subscriptions.", _OFF, basic=True)] = (
        "subscriptions"
    )
    orders: Annotated[
        str, Help("Input topic of carts, orders, refunds and goals.", _OFF, basic=True)
    ] = "orders"
    feedback: Annotated[
        str, Help("Input topic of surveys and support tickets.", _OFF, basic=True)
    ] = "feedback"
    social: Annotated[
        str, Help("Input topic of social posts and marketing spend.", _OFF, basic=True)
    ] = "social"
    metrics: Annotated[str, Help("Output topic of metric records, compacted.", basic=True)] = (
        "engagement-metrics"
    )
    ledger: Annotated[
        str, Help("Output topic of dead letters: events that were not counted.", basic=True)
    ] = "engagement-ledger"
    partitions: Annotated[
        Annotated[int, Meta(ge=1, le=1024)],
        Help(
            "Partitions of every input topic: at most as many workers share the load. Fixed once "
            "events are counted.",
            why="4 lets four workers run.",
            basic=True,
        ),
    ] = 4
    replication_factor: Annotated[
        AtLeastOne,
        Help(
            "Copies of each topic that `engage topics create` asks for.",
            why="1 works with a single broker; use 3 in production.",
            basic=True,
        ),
    ] = 1

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the input topics that are read, always in the same order."""
        return tuple(name for role in INPUT_ROLES if (name := getattr(self, role)))


class TimeSettings(Table, frozen=True, kw_only=True):
    """Event time: how long windows wait for late events, and how long counts are kept."""

    allowed_lateness_seconds: Annotated[
        NotNegative,
        Help(
            "Time that a window waits after its end for late events before it is final.",
            why="5 min covers trackers that send in batches.",
            basic=True,
        ),
    ] = 300
    correction_window_seconds: Annotated[
        NotNegative,
        Help(
            "Time after its end in which a late event still corrects a final window, as a revision.",
            why="24 h covers a phone that was offline overnight.",
        ),
    ] = 86_400
    late_policy: Annotated[
        Literal["update", "ledger", "drop"],
        Help(
            "What happens to an event that comes after time.allowed_lateness_seconds.",
            {
                "update": "it counts within time.correction_window_seconds, then becomes a dead letter",
                "ledger": "it becomes a dead letter",
                "drop": "it is counted as late and not kept",
            },
            "The default keeps numbers right.",
        ),
    ] = "update"
    max_future_skew_seconds: Annotated[
        AtLeastOne,
        Help(
            "Lead of an event over its Kafka record beyond which it becomes a dead letter.",
            why="5 min tolerates clocks that are slightly wrong.",
        ),
    ] = 300
    idle_seconds: Annotated[
        Seconds,
        Help(
            "Time without new records after which the wall clock may close a partition's windows.",
            why="1 s keeps a quiet site live.",
        ),
    ] = 1.0
    hour_retention_days: Annotated[
        Annotated[int, Meta(ge=3)],
        Help(
            "Days that hourly counts are kept.",
            why="A month is as much as a fast replay publishes by the hour.",
        ),
    ] = 32
    day_retention_days: Annotated[
        Annotated[int, Meta(ge=70)],
        Help(
            "Days that daily counts are kept.",
            why="13 months, so that a month compares with the same one of last year.",
        ),
    ] = 400


class DedupeSettings(Table, frozen=True, kw_only=True):
    """Duplicates: events whose event_id was seen before on their site."""

    window_seconds: Annotated[
        NotNegative,
        Help(
            "Event time over which event ids are remembered: at least one window, at most two.",
            {"0": "duplicates count"},
            "10 min covers the retries of producers. A later retry counts twice in the stream; a report "
            "knows duplicates over its whole input.",
        ),
    ] = 600
    ids_max: Annotated[
        AtLeastOne,
        Help(
            "Most event ids remembered of each topic partition and window, about 90 bytes each. A full "
            "window ends early, and that is counted.",
            why="Bounds the memory of a worker.",
        ),
    ] = 200_000


class IdSettings(Table, frozen=True, kw_only=True):
    """Ids of people and sessions."""

    placeholders: Annotated[
        tuple[str, ...],
        Help(
            "Values of user_id, visitor_id and session_id that are read as absent, in letters of any "
            "case. An event that no other id gives a person becomes a dead letter (no_person).",
            {"[]": "every id names somebody"},
            "Trackers send these values without knowing an id; counted, all of these people would be "
            "one.",
        ),
    ] = (
        "undefined", "null", "none", "nan", "anonymous", "guest", "unknown", "0",
        "00000000-0000-0000-0000-000000000000",
    )  # fmt: skip


class BotSettings(Table, frozen=True, kw_only=True):
    """Events of programs, told by is_bot, by a public list of user agents and by patterns."""

    mode: Annotated[
        Literal["exclude", "include", "only"],
        Help(
            "How events of bots count.",
            {
                "exclude": "only as bot_events",
                "include": "as events of people",
                "only": "bots count, and events of people only as excluded_events",
            },
            "The default keeps bots out of numbers about people.",
        ),
    ] = "exclude"
    user_agent_field: Annotated[str, Help("Field of the context that holds the user agent.")] = (
        "user_agent"
    )
    patterns: Annotated[
        tuple[str, ...],
        Help(
            "Regular expressions of user agents that are bots besides those of the public list "
            "(crawler-user-agents).",
            why="The default adds what calls itself a bot, and browsers that nobody sits at. CUBOT "
            "makes phones.",
        ),
    ] = (
        r"(?<!cu)bot(?![a-z])", "crawler", r"spider(?![a-z])", "headless", "phantomjs", "lighthouse",
        "page ?speed", "synthetic", r"cypress/", "pinger",
    )  # fmt: skip
    http_libraries: Annotated[
        bool,
        Help(
            "Whether HTTP libraries of the public list, such as okhttp, axios and python-requests, are "
            "bots.",
            {"true": "they are", "false": "they are people"},
            "Apps and servers send with them what people do.",
        ),
    ] = False


class LedgerSettings(Table, frozen=True, kw_only=True):
    """Limit of rejected events, against a deployment that sends everything to the ledger."""

    max_ratio: Annotated[
        Share,
        Help(
            "Share of rejected events beyond which a partition stops.",
            why="0.99 means a wrong deployment rather than wrong events.",
        ),
    ] = 0.99
    min_events: Annotated[
        AtLeastOne,
        Help(
            "Number of last events over which ledger.max_ratio is taken.",
            why="Large enough that one bad batch stops nothing.",
        ),
    ] = 100_000
