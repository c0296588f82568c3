"""The catalogue: every metric, one theme a file. A theme is a tuple; here they are joined."""

from stream.history.events import Aggregate, EventCounter
from stream.metrics import own as definitions
from stream.metrics.metric import Metric
from stream.metrics.themes import (
    actives,
    audience,
    behaviour,
    carts,
    clicks,
    customers,
    experiments,
    features,
    feedback,
    funnels,
    goals,
    interaction,
    lifecycle,
    newcomers,
    orders,
    pages,
    retention,
    satisfaction,
    social,
    tickets,
    value,
)
from stream.settings.application import Settings


def catalogue(settings: Settings) -> tuple[Metric, ...]:
    """All metrics, with the formulas that the settings choose, and those that they define."""
    return (*built_in(settings), *definitions.own_metrics(settings))


def built_in(settings: Settings) -> tuple[Metric, ...]:
    """The metrics that need no definition."""
    return (
        *audience.METRICS,
        *newcomers.metrics(settings),
        *actives.metrics(settings),
        interaction.frequency(settings),
        *lifecycle.METRICS,
        *lifecycle.active_weeks(settings),
        lifecycle.behavioural_churn(settings),
        *retention.retention(settings),
        *behaviour.VISITS,
        behaviour.pages_per_session(settings),
        *behaviour.durations(settings),
        *behaviour.OUTCOMES,
        *clicks.metrics(settings),
        *pages.LANDINGS,
        *pages.scrolling(settings),
        pages.time_on_page(settings),
        pages.exit_rate(settings),
        *goals.metrics(settings),
        *features.metrics(settings, definitions.people(settings, settings.feature.eligible)),
        *funnels.metrics(settings),
        *carts.metrics(settings),
        *customers.levels(settings),
        customers.churn(settings),
        *customers.MOVEMENTS,
        *orders.METRICS,
        *value.metrics(settings),
        *satisfaction.metrics(settings),
        *tickets.metrics(settings),
        *social.metrics(settings),
        *experiments.metrics(settings),
    )


def aggregates(settings: Settings) -> tuple[Aggregate, ...]:
    """What is kept person by person for metrics of rarer events."""
    return (
        orders.Orders(to_date=value.mode(settings) == "historic"),
        *clicks.aggregates(settings),
        feedback.Feedback(settings),
        tickets.Tickets(settings),
        goals.Goals(settings),
        features.Features(settings),
        *funnels.aggregates(settings),
        *carts.aggregates(settings),
        *social.aggregates(settings),
        *definitions.own_aggregates(settings),
    )


def event_counters(settings: Settings) -> tuple[EventCounter, ...]:
    """What single events add for metrics of their own."""
    return (
        social.Posts(settings),
        social.Spend(settings),
        *goals.event_counters(settings),
        *definitions.own_counters(settings),
    )
