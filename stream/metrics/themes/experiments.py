"""Metrics of experiments: conversion of the people who saw a variant, compared with the control."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from schemas.outputs import WindowKind
from stream.counters import measures
from stream.counters.windows import Span
from stream.metrics.metric import JOINED, Example, Metric
from stream.metrics.proportions import interval, p_value
from stream.metrics.terms import AtEnd, ByWindow, InRange, Need, Reader, Term
from stream.metrics.theme import Theme
from stream.metrics.themes.goals import CONVERTED_1D, CONVERTED_7D, CONVERTED_28D, of_goals_and
from stream.settings.application import Settings

_CONVERTED = ByWindow({"trailing_28d": AtEnd(CONVERTED_28D), "trailing_7d": AtEnd(CONVERTED_7D)})
_SEEN = ByWindow(
    {"trailing_28d": AtEnd(measures.ACTIVE_28D), "trailing_7d": AtEnd(measures.ACTIVE_7D)}
)
_WINDOWS: tuple[WindowKind, ...] = ("trailing_28d", "trailing_7d")
_SHARE = "people who reached a goal ÷ people who saw the variant"


class Sample(NamedTuple):
    """People of a variant, and those of them who converted."""

    converted: float
    people: float

    @property
    def share(self) -> float | None:
        """Share who converted; None if the sample is empty or has more conversions than people."""
        return self.converted / self.people if 0 <= self.converted <= self.people > 0 else None


@dataclass(frozen=True, slots=True)
class OfVariant:
    """Term of the segment's variant, also if the segment is a goal of the variant."""

    term: Term

    def read(self, reader: Reader, span: Span) -> float:
        _, dimension, value = reader.segment
        if JOINED in dimension:
            # The goal comes first: a variant may have any name.
            reader = reader.of(dimension.partition(JOINED)[2], value.partition(JOINED)[2])
        return self.term.read(reader, span)

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.term.needs(kind)


class _OfSamples:
    """Statistic of the people who saw the variant and those of them who converted."""

    __slots__ = ()
    #: Its samples are counted over a range too.
    has_range = True

    def value(self, reader: Reader, span: Span) -> float | None:
        """Compute it; None if it is unknown."""
        raise NotImplementedError

    def read(self, reader: Reader, span: Span) -> float:
        return self.value(reader, span) or 0.0

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        if kind == "range":
            yield from InRange(CONVERTED_1D).needs(kind)
            yield from InRange(measures.ACTIVE_DAY).needs(kind)
            return
        yield from _CONVERTED.needs(kind)
        yield from _SEEN.needs(kind)


@dataclass(frozen=True, slots=True)
class Bound(_OfSamples):
    """Lower (0) or upper (1) end of the interval of the variant's share."""

    end: int
    confidence: float

    def value(self, reader: Reader, span: Span) -> float | None:
        ends = interval(*_sample(reader, span), self.confidence)
        return None if ends is None else ends[self.end]


@dataclass(frozen=True, slots=True)
class Against(_OfSamples):
    """Comparison of the variant with the control. The control itself has none."""

    compare: Callable[[Sample, Sample], float | None]
    control: str

    def value(self, reader: Reader, span: Span) -> float | None:
        _, dimension, value = reader.segment
        goal, joined, variant = value.partition(JOINED) if JOINED in dimension else ("", "", value)
        if variant == self.control:
            return None
        of_control = reader.of(dimension, f"{goal}{joined}{self.control}")
        return self.compare(_sample(reader, span), _sample(of_control, span))

    def __repr__(self) -> str:
        # Fingerprints of metrics need a text that is the same in every process.
        return f"Against({self.compare.__name__}, {self.control!r})"


@dataclass(frozen=True, slots=True)
class IsKnown:
    """1 if a statistic is known, else 0: the denominator that makes an unknown one null."""

    of: _OfSamples

    def read(self, reader: Reader, span: Span) -> float:
        return 0 if self.of.value(reader, span) is None else 1

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.of.needs(kind)


def _sample(reader: Reader, span: Span) -> Sample:
    if span.kind == "range":
        converted, seen = InRange(CONVERTED_1D), OfVariant(InRange(measures.ACTIVE_DAY))
        return Sample(converted.read(reader, span), seen.read(reader, span))
    return Sample(_CONVERTED.read(reader, span), OfVariant(_SEEN).read(reader, span))


def uplift(variant: Sample, control: Sample) -> float | None:
    """Subtract the share of the control from that of the variant."""
    if variant.share is None or control.share is None:
        return None
    return variant.share - control.share


def chance(variant: Sample, control: Sample) -> float | None:
    """Compute the probability of a difference of this size by chance alone."""
    return p_value(*variant, *control)


def metrics(settings: Settings) -> Iterator[Metric]:
    """Yield the metrics of variants, over all goals and by goal."""
    yield _metric(
        settings,
        "variant_conversion",
        "Share of the people who saw a variant that reached a goal. The event of the goal must name the "
        "variant. A person who saw two variants counts in both.",
        _SHARE,
        _CONVERTED,
        OfVariant(_SEEN),
        Example("81 of 263 people", 81, 263, 81 / 263),
    )
    yield from _bounds(settings)
    yield from _comparisons(settings)


def _bounds(settings: Settings) -> Iterator[Metric]:
    percent = f"{settings.experiment.confidence:.3%}".rstrip("%").rstrip("0").rstrip(".")
    for end, (name, word, value) in enumerate(
        (("low", "Lower", 0.2553), ("high", "Upper", 0.3662))
    ):
        bound = Bound(end, settings.experiment.confidence)
        yield _metric(
            settings,
            f"variant_conversion_{name}",
            f"{word} end of the {percent} % interval of the variant's conversion.",
            f"{word.lower()} end of Wilson's {percent} % score interval of {_SHARE}",
            bound,
            IsKnown(bound),
            Example("81 of 263 people", value, 1, value),
            "experiment.confidence",
        )


def _comparisons(settings: Settings) -> Iterator[Metric]:
    control = settings.experiment.control
    example = "240 of 1,000 people, and 200 of 1,000 who saw the control"
    higher, by_chance = Against(uplift, control), Against(chance, control)
    yield _metric(
        settings,
        "variant_uplift",
        "Conversion of the variant less that of the control.",
        f"({_SHARE}) − the same of the control",
        higher,
        IsKnown(higher),
        Example(example, 0.04, 1, 0.04),
        "experiment.control",
    )
    yield _metric(
        settings,
        "variant_p_value",
        "Probability of a difference at least this large by chance alone. It is 1 if no one, or everyone, "
        "converted in both.",
        f"two-sided two-proportion z-test, pooled, of {_SHARE} against the control",
        by_chance,
        IsKnown(by_chance),
        Example(example, 0.0308, 1, 0.0308),
        "experiment.control",
    )


def _metric(
    settings: Settings,
    name: str,
    help: str,
    formula: str,
    numerator: Term,
    denominator: Term,
    example: Example,
    *chosen_by: str,
) -> Metric:
    dimension = settings.experiment.dimension
    is_share = name != "variant_p_value"
    return Metric(
        name=name,
        help=help,
        unit="ratio" if is_share else "probability",
        formula=formula,
        numerator=numerator,
        denominator=denominator,
        windows=_WINDOWS,
        gauge=f"{name}_ratio" if is_share else name,
        example=example,
        chosen_by=chosen_by,
        counted_by=("experiment.dimension",),
        by=(dimension, of_goals_and(dimension)) if dimension else (),
        plain=False,
    )


THEME = Theme(
    title="Experiments",
    text="What share of the people who saw a variant converted, and whether that differs from the control.",
    metrics=metrics,
)
