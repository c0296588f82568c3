"""Contenders: each a module with `run(job)`, listed here in the order of the table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """One engine and its task; `slow` ones read fewer events, and all results are per event."""

    module: str
    label: str
    slow: bool = False
    peer: bool = False  # runs in the peers' environment
    compiled: bool = False  # runs the content of this project's wheel


BASELINE = Contender("raw", "raw aiokafka + orjson")

EVERYTHING, CORE, INTERPRETED = "worker", "worker_core", "worker_interpreted"

CONTENDERS = (
    BASELINE,
    Contender("transport", "our batch transport, decoding only", compiled=True),
    Contender("worker", "our worker, everything on", compiled=True),
    Contender("worker_core", "our worker, the first 23 metrics alone", compiled=True),
    Contender("worker_interpreted", "our worker from its sources, not compiled"),
    Contender("bytewax_country", "Bytewax, windowed count by country", peer=True),
    Contender("bytewax_visitor", "Bytewax, windowed count by visitor", slow=True, peer=True),
    Contender("quix_country", "Quix Streams, windowed count by country", slow=True, peer=True),
    Contender("quix_visitor", "Quix Streams, windowed count by visitor", slow=True, peer=True),
    Contender("faust_agent", "Faust, no state", slow=True),
    Contender("faust_window", "Faust, windowed table by visitor", slow=True),
)

#: Contenders of the Yahoo streaming benchmark.
ADS = (
    BASELINE,
    Contender("ads_worker", "our worker, own metric by campaign", compiled=True),
    Contender("ads_bytewax", "Bytewax", peer=True),
    Contender("ads_quix", "Quix Streams", slow=True, peer=True),
    Contender("ads_faust", "Faust, windowed table", slow=True),
)
