"""Settings of a worker: limits of its memory, intervals of publishing, its pages and its logs."""

from typing import Annotated, Literal

from msgspec import Meta

from stream.settings.table import AtLeastOne, Help, Seconds, Table

Port = Annotated[int, Meta(ge=1, le=65535)]


class LimitSettings(Table, frozen=True, kw_only=True):
    """Limits of memory and of series: whatever arrives, nothing grows beyond them."""

    sites_max: Annotated[
        AtLeastOne,
        Help(
            "Sites that each shard counts one by one: the first ones of its log, besides `default` and "
            "those of the table `sites`. Further ones count together as the site `other`.",
            why="Bounds memory and series: a site has some hundred series.",
        ),
    ] = 100
    sites_allowed: Annotated[
        tuple[str, ...],
        Help(
            "Sites that are counted, besides those of the table `sites`. All others count together as "
            "the site `other`.",
            {"[]": "the first limits.sites_max sites"},
            "A list keeps a mistyped or forged site from taking the place of a real one.",
            example='sites_allowed = ["shop", "blog"]',
        ),
    ] = ()
    segments_max: Annotated[
        Annotated[int, Meta(ge=100)],
        Help(
            "Values that each shard counts one by one, over all dimensions, pages, content, features, "
            "goals and posts of all sites. Further ones count as `other`.",
            why="Bounds memory and Redis however many sites and dimensions there are.",
        ),
    ] = 10_000
    segment_sets_max: Annotated[
        Annotated[int, Meta(ge=100)],
        Help(
            "Combinations of values of `dimensions` that each shard knows. Events of further ones count "
            "as `other` in each dimension.",
            why="Bounds memory: each takes some kB.",
        ),
    ] = 20_000
    series_max: Annotated[
        Annotated[int, Meta(ge=1000)],
        Help(
            "Gauges that a worker shows, over all sites and segments. Those of the segments, then of the "
            "sites, with the fewest events are withheld; records keep them.",
            why="With totals of sites that is under 50,000 series, and half a second of a scrape.",
        ),
    ] = 35_000

    people_cached: Annotated[
        Annotated[int, Meta(ge=1000)],
        Help(
            "People of each shard kept in memory unpacked, about 1 kB each.",
            why="Of more, events would seldom find one again within seconds.",
            basic=True,
        ),
    ] = 20_000
    people_packed: Annotated[
        Annotated[int, Meta(ge=0)],
        Help(
            "Further people of each shard kept in memory as they are stored, about 250 bytes each; others "
            "are read back from Redis.",
            why="Four shards of 150,000 take 150 MB.",
        ),
    ] = 150_000
    dirty_max: Annotated[
        Annotated[int, Meta(ge=100)],
        Help(
            "Changed people at which a shard stores a checkpoint early.",
            why="A checkpoint of 5,000 people takes a tenth of a second, in which no probe is answered.",
        ),
    ] = 5_000


class PublishSettings(Table, frozen=True, kw_only=True):
    """Intervals at which state is stored and numbers are published."""

    snapshot_seconds: Annotated[
        Seconds, Help("Time between two computations of the live numbers.", why="1 s is live.")
    ] = 1.0
    records_seconds: Annotated[
        Seconds,
        Help(
            "Time between two sends of changed metric records to Kafka.",
            why="10 s keeps the topic small.",
        ),
    ] = 10.0
    cut_seconds: Annotated[
        Seconds,
        Help(
            "Time between two checkpoints of a shard.",
            why="1 s is as much as a crash has to read again.",
        ),
    ] = 1.0
    compare: Annotated[
        bool,
        Help(
            "Whether metric records carry the value of the window before, as `previous`.",
            {"true": "they do", "false": "they do not"},
            "The default keeps records small.",
        ),
    ] = False
    snapshot_max_age_seconds: Annotated[
        Seconds,
        Help(
            "Age at which a worker withholds its numbers instead of showing them as live.",
            why="30 s outlasts a change of the publisher.",
        ),
    ] = 30.0


class WebSettings(Table, frozen=True, kw_only=True):
    """A worker's pages: /live, /metrics, /healthz and /readyz."""

    host: Annotated[
        str,
        Help(
            "Address on which the pages are served.",
            {"127.0.0.1": "this machine only", "0.0.0.0": "every network, without a password"},  # noqa: S104  binds nothing
            basic=True,
        ),
    ] = "127.0.0.1"
    port: Annotated[
        Port,
        Help("Port of the pages; each worker on a machine needs its own.", basic=True),
    ] = 6067
    prometheus_url: Annotated[
        str,
        Help(
            "Address of the Prometheus whose alerts the live page shows.",
            {'""': "it shows none"},
            example='prometheus_url = "http://127.0.0.1:9090"',
            basic=True,
        ),
    ] = ""
    tls_certfile: Annotated[
        str,
        Help(
            "PEM file of the certificate with which the pages are served over https.",
            {'""': "http"},
        ),
    ] = ""
    tls_keyfile: Annotated[str, Help("PEM file of the key of web.tls_certfile.")] = ""


class LogSettings(Table, frozen=True, kw_only=True):
    """Log lines on standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Help(
            "Least important lines that are logged.",
            {
                "debug": "each step",
                "info": "changes of state",
                "warning": "what may need attention",
                "error": "what has failed",
            },
            "The default tells when a worker takes and gives up shards.",
            basic=True,
        ),
    ] = "info"
    format: Annotated[
        Literal["json", "text"],
        Help(
            "Form of a log line.",
            {"json": "an object, for programs", "text": "for a terminal"},
            basic=True,
        ),
    ] = "json"
