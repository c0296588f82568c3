"""What is wrong with a product's own definitions: one sentence each, with the key that must change."""

import re
from collections.abc import Iterator
from typing import get_args, get_type_hints

from schemas.events import EVENT_TYPES
from stream.counters.segments import OTHER
from stream.history.event_filter import condition_fields, mistakes, nearest
from stream.metrics import proportions
from stream.metrics.catalogue import built_in
from stream.metrics.own import BUILT_IN, KINDS, UNITS, gauge_of, part, people, unit_of
from stream.metrics.themes.goals import goals_by_type, has_experiment
from stream.settings.application import Settings
from stream.settings.definitions import ExperimentSettings, Funnel, Measure, OwnMetric, Selection

_WORDS = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NAME_MAX = 64


def broken_definitions(settings: Settings) -> Iterator[str]:
    """All of them; nothing when every definition can be computed."""
    for name, goal in settings.goals.items():
        yield from _name(f"goals.{name}", name)
        yield from _of_people(f"goals.{name}", goal, settings)
    for custom, feature in settings.feature.map.items():
        if not 1 <= len(feature) <= 256:
            yield f"feature.map.{custom[:80]}: a feature has 1 to 256 characters; name it"
    for name, funnel in settings.funnels.items():
        yield from _name(f"funnels.{name}", name)
        yield from _funnel(f"funnels.{name}", funnel)
    steps = sum(len(funnel.steps) for funnel in settings.funnels.values())
    if steps > settings.dimension_values_max:
        yield (
            f"funnels: their {steps} steps are more than dimension_values_max "
            f"{settings.dimension_values_max}; raise it, or leave some out"
        )
    for name, measure in settings.measures.items():
        yield from _measure(f"measures.{name}", name, measure)
    yield from _eligible(settings)
    yield from _experiment(settings)
    yield from _metrics(settings)


def _name(key: str, name: str) -> Iterator[str]:
    if not 1 <= len(name) <= _NAME_MAX or not name.isprintable():
        yield f"{key[:80]!r}: a name has 1 to {_NAME_MAX} printable characters; shorten it"


def _eligible(settings: Settings) -> Iterator[str]:
    feature, of_people = settings.feature, "a measure of [measures] with count = people"
    if feature.denominator != "eligible":
        if feature.eligible:
            yield (
                f"feature.eligible: {feature.eligible[:80]!r} is used only with feature.denominator = "
                "eligible; set that or remove this"
            )
    elif not feature.eligible:
        yield f"feature.eligible: is not set, and feature.denominator is eligible; name {of_people}"
    elif people(settings, feature.eligible) is None:
        yield f"feature.eligible: {feature.eligible[:80]!r} is not {of_people}; name one"


def _words(key: str, name: str) -> Iterator[str]:
    if not _WORDS.fullmatch(name) or len(name) > _NAME_MAX or name.endswith("_total"):
        yield f"{key[:80]}: use lower-case words joined by _, not ending in _total, as the name"


def _of_people(key: str, selection: Selection, settings: Settings | None = None) -> Iterator[str]:
    """What is wrong with a selection of events that people are counted by."""
    yield from mistakes(key, selection)
    kind = EVENT_TYPES.get(selection.type)
    if kind is not None and not kind.counts_people:
        yield f"{key}.type: {selection.type} is about no one person; choose another type"
    if settings and selection.type in settings.active.passive_types:
        yield (
            f"{key}.type: {selection.type} makes nobody active, and who converts must be among the "
            "active; take it out of active.passive_types"
        )


def _funnel(key: str, funnel: Funnel) -> Iterator[str]:
    if len(funnel.steps) < 2:
        yield f"{key}.steps: a funnel has at least two steps; found {len(funnel.steps)}, add more"
    for number, step in enumerate(funnel.steps, start=1):
        yield from _of_people(f"{key}.steps[{number}]", step)
    for number, one in enumerate(funnel.exclusions, start=1):
        yield from _of_people(f"{key}.exclusions[{number}]", one)
        if one in funnel.steps[1:]:
            place = funnel.steps.index(one, 1) + 1
            yield f"{key}.exclusions[{number}]: is step {place} too, which nobody could take; remove it"


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
            f'installed; {proportions.INSTALL}, or set {key} = "" to have none'
        )
    if control in ("", OTHER):
        found = repr(control) if control else "nothing"
        yield f"experiment.control: {found} names no one variant; name the one to compare with"
    for kind in sorted({"goal", *goals_by_type(settings)} & {*settings.active.passive_types}):
        yield (
            f"active.passive_types: {kind} makes nobody active, and who converts must be among those "
            "who saw the variant; take it out"
        )


def _measure(key: str, name: str, measure: Measure) -> Iterator[str]:
    yield from _words(key, name)
    if name in BUILT_IN:
        yield f"{key}: is the name of a built-in measure; choose another name"
    check = _of_people if measure.count == "people" else mistakes
    yield from check(key, measure)
    kind = EVENT_TYPES.get(measure.type)
    if measure.count != "sum":
        if measure.field:
            yield f'{key}.field: is for count = "sum" alone; remove it, or change count'
    elif kind is not None:
        hints = get_type_hints(kind.struct)
        numbers = [name for name in condition_fields(kind.struct) if _is_number(hints[name])]
        if not numbers:
            yield f"{key}.count: {measure.type} has no field to add up; count its events"
        elif measure.field not in numbers:
            found = f"{measure.field[:80]!r} is no number of {measure.type}"
            yield f"{key}.field: {found}; {nearest(measure.field, numbers)}"


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
            yield f"{key}: there is a metric of that name; choose another (engage metrics lists them)"
        gauge = gauge_of(name, own)
        if gauge in gauges and name not in names:
            yield f"{key}: its gauge {gauge} is the one of {gauges[gauge]}; choose another name"
        gauges[gauge] = name
        yield from _parts(key, own, settings)
        if unit_of(own) not in UNITS:
            yield f"{key}.unit: {own.unit[:80]!r} is not a unit; {nearest(own.unit, UNITS)}"
        if own.unit == "ratio" and not own.denominator:
            yield f"{key}.denominator: is not set, and a ratio needs one; set it, or another unit"


def _parts(key: str, own: OwnMetric, settings: Settings) -> Iterator[str]:
    if not own.numerator:
        yield f"{key}.numerator: is not set; name one of [measures], or {', '.join(BUILT_IN)}"
    if not own.windows:
        yield f"{key}.windows: is empty; name at least one, such as day"
    unknown = [window for window in own.windows if window not in KINDS]
    for window in unknown:
        yield f"{key}.windows: {window[:80]!r} is not a window; {nearest(window, KINDS)}"
    if len(set(own.windows)) < len(own.windows):
        yield f"{key}.windows: names a window twice; name each once"
    for side, name in (("numerator", own.numerator), ("denominator", own.denominator)):
        if not name:
            continue
        found = part(settings, name)
        if found is None:
            known = [*settings.measures, *BUILT_IN]
            yield f"{key}.{side}: there is no measure {name[:80]!r}; {nearest(name, known)}"
            continue
        for window in own.windows:
            if window not in found[1] and window not in unknown:
                listed = ", ".join(found[1])
                yield f"{key}.windows: {name} is not counted by {window}; it is by {listed}"
