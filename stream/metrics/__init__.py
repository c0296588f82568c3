"""The catalogue: every metric, one theme a file. A theme is a tuple; here they are joined."""

from stream.facts import Tally, Theme
from stream.knobs import Settings
from stream.metrics import audience, behaviour, customers, lifecycle, retention
from stream.metrics.metric import Metric


def catalogue(settings: Settings) -> tuple[Metric, ...]:
    """All metrics, with the formulas that the settings choose."""
    return (
        *audience.METRICS,
        *lifecycle.METRICS,
        *retention.retention(settings),
        *behaviour.METRICS,
        behaviour.click_through(settings),
        *customers.METRICS,
        customers.churn(settings),
    )


def themes(_settings: Settings) -> tuple[Theme, ...]:
    """What is kept person by person for metrics of rarer events."""
    return ()


def tallies(_settings: Settings) -> tuple[Tally, ...]:
    """What single events add for metrics of their own."""
    return ()
