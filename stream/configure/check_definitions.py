"""Checks a product's own definitions: goals, features, funnels, measures, metrics and the experiment."""

import re
from collections.abc import Iterator
from typing import get_args, get_type_hints

from schemas.events import EVENT_TYPES
from schemas.suggest import name_one_of
from stream.configure.check_events import of_active_people, of_people, possible_selection
from stream.counters.sites import OTHER
from stream.counters.windows import KINDS
from stream.history.event_filter import condition_fields
from stream.metrics import proportions
from stream.metrics.catalogue import built_in
from stream.metrics.own import BUILT_IN, UNITS, gauge_of, part, people, unit_of
from stream.metrics.themes.goals import goals_by_type, has_experiment
from stream.settings.application import Settings
from stream.settings.definitions import ExperimentSettings, Funnel, Measure, OwnMetric, Selection
from stream.settings.pages import PageSettings

_WORDS = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NAME_MAX = 64


def broken_definitions(settings: Settings) -> Iterator[str]:
    """Yield a sentence, with the key to change, for each definition that cannot be computed."""
    for name, goal in settings.goals.items():
        yield from _name(f"goals.{name}", name)
        yield from possible_selection(f"goals.{name}", goal, settings.pages)
        yield from of_active_people(f"goals.{name}.type", goal.type, settings)
    for custom, feature in settings.feature.map.items():
        if not 1 <= len(feature) <= 256:
            yield f"feature.map.{custom[:80]}: a feature has 1 to 256 characters; name it"
    for name, funnel in settings.funnels.items():
        yield from _name(f"funnels.{name}", name)
        yield from _funnel(f"funnels.{name}", funnel, settings.pages)
    steps = sum(len(funnel.steps) for funnel in settings.funnels.values())
    if steps > settings.dimension_values_max:
        yield (
            f"funnels: {steps} steps are more than dimension_values_max "
            f"{settings.dimension_values_max}; raise that, or leave steps out"
        )
    for name, measure in settings.measures.items():
        yield from _measure(f"measures.{name}", name, measure, settings.pages)
    yield from _eligible(settings)
    yield from _experiment(settings)
    yield from _metrics(settings)


def _name(key: str, name: str) -> Iterator[str]:
    if not 1 <= len(name) <= _NAME_MAX or not name.isprintable():
        yield f"{key[:80]!r}: a name has 1 to {_NAME_MAX} printable characters; shorten it"


def _eligible(settings: Settings) -> Iterator[str]:
    feature, measure = settings.feature, "a measure of [measures] with count = people"
    if feature.denominator != "eligible":
        if feature.eligible:
            yield (
                f"feature.eligible: {feature.eligible[:80]!r} is used only with feature.denominator = "
                "eligible; set that, or remove this"
            )
    elif not feature.eligible:
        yield f"feature.eligible: is not set, and feature.denominator is eligible; name {measure}"
    elif people(settings, feature.eligible) is None:
        yield f"feature.eligible: {feature.eligible[:80]!r} is not {measure}; name one"


def _words(key: str, name: str) -> Iterator[str]:
    if not _WORDS.fullmatch(name) or len(name) > _NAME_MAX or name.endswith("_total"):
        yield f"{key[:80]}: use lower-case words joined by _, not ending in _total, as the name"


def _of_people(key: str, selection: Selection, pages: PageSettings) -> Iterator[str]:
    """Yield why people cannot be counted by a selection of events."""
    yield from possible_selection(key, selection, pages)
    yield from of_people(f"{key}.type", selection.type)


def _funnel(key: str, funnel: Funnel, pages: PageSettings) -> Iterator[str]:
    if len(funnel.steps) < 2:
        yield f"{key}.steps: a funnel has at least two steps; found {len(funnel.steps)}, add more"
    for number, step in enumerate(funnel.steps, start=1):
        yield from _of_people(f"{key}.steps[{number}]", step, pages)
    for number, one in enumerate(funnel.exclusions, start=1):
        yield from _of_people(f"{key}.exclusions[{number}]", one, pages)
        if one in funnel.steps[1:]:
            place = funnel.steps.index(one, 1) + 1
            yield f"{key}.exclusions[{number}]: is also step {place}, which would end its own attempt; remove it"


def _experiment(settings: Settings) -> Iterator[str]:
    experiment, key = settings.experiment, "experiment.dimension"
    field, control = experiment.dimension[:80], experiment.control
    if not has_experiment(settings):
        if field and experiment != ExperimentSettings():
            yield f"{key}: {field!r} is not among dimensions; add it there, or correct it"
        return
    if not proportions.is_installed():
        yield (
            f"dimensions: the experiment by {field!r} needs {proportions.LIBRARY}, which is not "
            f'installed; {proportions.INSTALL}, or set {key} = "" for no experiment'
        )
    if control in ("", OTHER):
        found = repr(control) if control else "an empty text"
        yield f"experiment.control: {found} is not a variant; name the one to compare with"
    for kind in sorted({"goal", *goals_by_type(settings)} & {*settings.active.passive_types}):
        yield (
            f"active.passive_types: {kind} would not make a person active, and only active people "
            "who saw a variant convert; take it out"
        )


def _measure(key: str, name: str, measure: Measure, pages: PageSettings) -> Iterator[str]:
    yield from _words(key, name)
    if name in BUILT_IN:
        yield f"{key}: is the name of a built-in measure; choose another name"
    check = _of_people if measure.count == "people" else possible_selection
    yield from check(key, measure, pages)
    kind = EVENT_TYPES.get(measure.type)
    if measure.count != "sum":
        if measure.field:
            yield f'{key}.field: is only for count = "sum"; remove it, or change count'
    elif kind is not None:
        hints = get_type_hints(kind.struct)
        numbers = [name for name in condition_fields(kind.struct) if _is_number(hints[name])]
        if not numbers:
            yield f"{key}.count: {measure.type} has no field to add up; count its events"
        elif measure.field not in numbers:
            found = f"{measure.field[:80]!r} is not a number of {measure.type}"
            yield f"{key}.field: {found}; {name_one_of(measure.field, numbers)}"


def _is_number(hint: object) -> bool:
    kinds = {hint, *get_args(hint)}
    return bool(kinds & {int, float}) and bool not in kinds and str not in kinds


def _metrics(settings: Settings) -> Iterator[str]:
    if not settings.metrics:
        return
    taken = built_in(settings)
    names = {metric.name for metric in taken}
    gauges = {metric.gauge: metric.name for metric in taken}
    for name, own in settings.metrics.items():
        key = f"metrics.{name}"
        yield from _words(key, name)
        if name in names:
            yield f"{key}: a metric has this name; choose another (`engage metrics` lists them)"
        gauge = gauge_of(name, own)
        if gauge in gauges and name not in names:
            yield f"{key}: its gauge {gauge} is that of {gauges[gauge]}; choose another name"
        gauges[gauge] = name
        yield from _parts(key, own, settings)
        if unit_of(own) not in UNITS:
            yield f"{key}.unit: {own.unit[:80]!r} is not a unit; {name_one_of(own.unit, UNITS)}"
        if own.unit == "ratio" and not own.denominator:
            yield f"{key}.denominator: is not set, and a ratio needs one; set it, or choose another unit"


def _parts(key: str, own: OwnMetric, settings: Settings) -> Iterator[str]:
    if not own.numerator:
        yield f"{key}.numerator: is not set; name one of [measures], or {', '.join(BUILT_IN)}"
    if not own.windows:
        yield f"{key}.windows: is empty; name at least one, such as day"
    unknown = [window for window in own.windows if window not in KINDS]
    for window in unknown:
        yield f"{key}.windows: {window[:80]!r} is not a window; {name_one_of(window, KINDS)}"
    if len(set(own.windows)) < len(own.windows):
        yield f"{key}.windows: names a window twice; name each once"
    for side, name in (("numerator", own.numerator), ("denominator", own.denominator)):
        if not name:
            continue
        found = part(settings, name)
        if found is None:
            known = [*settings.measures, *BUILT_IN]
            yield f"{key}.{side}: there is no measure {name[:80]!r}; {name_one_of(name, known)}"
            continue
        for window in own.windows:
            if window not in found[1] and window not in unknown:
                listed = ", ".join(found[1])
                yield f"{key}.windows: {name} is not counted by {window}; choose from {listed}"
