"""The catalogue: joins the metrics of all themes, and adds the settings that change their counts."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from stream.history.aggregates.aggregate import Aggregate, EventCounter
from stream.metrics import counted_by, own
from stream.metrics.counted_by import CountedBy, When
from stream.metrics.metric import Metric
from stream.metrics.setting_value import setting_value
from stream.metrics.theme import Theme
from stream.metrics.themes import (
    actives,
    audience,
    behaviour,
    carts,
    clicks,
    customers,
    experiments,
    features,
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

#: The themes in the order of the reference.
THEMES: tuple[Theme, ...] = (
    audience.THEME,
    newcomers.THEME,
    actives.THEME,
    interaction.THEME,
    lifecycle.THEME,
    retention.THEME,
    behaviour.THEME,
    clicks.THEME,
    pages.THEME,
    goals.THEME,
    features.THEME,
    funnels.THEME,
    carts.THEME,
    customers.THEME,
    orders.THEME,
    value.THEME,
    satisfaction.THEME,
    tickets.THEME,
    social.THEME,
    experiments.THEME,
)
#: Title over the metrics that engage.toml defines.
OWN_TITLE = "Your own"
#: Themes in the turn in which their aggregates see an event; others follow. A person's history is stored
#: in this order.
_TURNS: tuple[Theme, ...] = (
    orders.THEME,
    clicks.THEME,
    satisfaction.THEME,
    tickets.THEME,
    goals.THEME,
    features.THEME,
    funnels.THEME,
    carts.THEME,
    social.THEME,
)
_TABLES: tuple[CountedBy, ...] = (
    counted_by.COUNTED_BY,
    own.COUNTED_BY,
    *(theme.counted_by for theme in THEMES),
)
_COUNTED_BY = {measure: settings for table in _TABLES for measure, settings in table.items()}
#: What names that end with * stand for, the longest first.
_PREFIXES = sorted((name[:-1] for name in _COUNTED_BY if name.endswith("*")), key=len, reverse=True)


def catalogue(settings: Settings) -> tuple[Metric, ...]:
    """Return all metrics: the built-in ones with the formulas that the settings choose, and own ones."""
    return (*built_in(settings), *_with_settings(own.own_metrics(settings), settings))


def built_in(settings: Settings) -> tuple[Metric, ...]:
    """Return the metrics of all themes."""
    return tuple(metric for theme in THEMES for metric in metrics_of(theme, settings))


def by_theme(settings: Settings) -> Iterator[tuple[str, list[Metric]]]:
    """Yield the title and the metrics of each theme, and last the own ones."""
    for theme in THEMES:
        yield theme.title, list(metrics_of(theme, settings))
    if found := list(_with_settings(own.own_metrics(settings), settings)):
        yield OWN_TITLE, found


def metrics_of(theme: Theme, settings: Settings) -> Iterator[Metric]:
    """Yield the metrics of a theme."""
    return _with_settings(theme.metrics(settings), settings)


def aggregates(settings: Settings) -> tuple[Aggregate, ...]:
    """Return what is kept person by person for the measures of rarer events."""
    themes = (*_TURNS, *(theme for theme in THEMES if theme not in _TURNS))
    kept = [one for theme in themes for one in theme.aggregates(settings)]
    return (*kept, *own.own_aggregates(settings))


def event_counters(settings: Settings) -> tuple[EventCounter, ...]:
    """Return what single events add to measures of their own."""
    counters = [one for theme in THEMES for one in theme.event_counters(settings)]
    return (*counters, *own.own_counters(settings))


def _with_settings(metrics: Iterable[Metric], settings: Settings) -> Iterator[Metric]:
    for metric in metrics:
        found = dict.fromkeys(metric.counted_by)
        for kind in metric.windows:
            found |= dict.fromkeys(counted_by.WINDOWS.get(kind, ()))
        for measure in sorted(metric.measures()):
            found |= dict.fromkeys(_in_force(counts_by(measure) or (), settings))
        yield replace(metric, counted_by=tuple(found))


@lru_cache(maxsize=1024)
def counts_by(measure: str) -> tuple[str | When, ...] | None:
    """Return the settings that change how a measure is counted; None: no table has the measure."""
    found = _COUNTED_BY.get(measure)
    if found is None:
        prefix = next((one for one in _PREFIXES if measure.startswith(one)), None)
        found = None if prefix is None else _COUNTED_BY[f"{prefix}*"]
    return found


def _in_force(known: Iterable[str | When], settings: Settings) -> Iterator[str]:
    """Yield the settings that matter under the present ones."""
    for one in known:
        if isinstance(one, str):
            yield one
        elif one.holds(setting_value(settings, one.setting)):
            yield from one.then


def defining_tables() -> frozenset[str]:
    """Return the tables of engage.toml, and settings beside them, that change what a number means.

    Not the limits: they move numbers to `other`, and which ones depends on the log.
    """
    names = {*counted_by.ALWAYS, *counted_by.SEGMENTS, *own.CHOSEN_BY}
    for settings in (*_COUNTED_BY.values(), *counted_by.WINDOWS.values()):
        for one in settings:
            names |= {one} if isinstance(one, str) else {one.setting, *one.then}
    for metric in built_in(Settings()):
        names |= {*metric.settings}
    return frozenset(name.partition(".")[0] for name in names) - {"limits"}
