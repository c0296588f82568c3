"""Terms of shares: what a segment of a metric's own dimension is a share of is counted elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.outputs import WindowKind
from stream.counters.windows import Span
from stream.metrics.metric import JOINED, OWN_DIMENSIONS
from stream.metrics.terms import Need, Reader, Term


@dataclass(frozen=True, slots=True)
class OfSite:
    """A term of the whole site for a goal or a feature, whose people are only those who got there.

    For a country, or another dimension of the context, it is that segment's own.
    """

    term: Term

    def read(self, reader: Reader, span: Span) -> float:
        _, dimension, _ = reader.segment
        return self.term.read(reader.of("", "") if dimension in OWN_DIMENSIONS else reader, span)

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.term.needs(kind)


@dataclass(frozen=True, slots=True)
class AtStep:
    """A term of the first step of a segment's funnel, or of the step before the segment's own."""

    term: Term
    before: bool = False

    def read(self, reader: Reader, span: Span) -> float:
        _, dimension, value = reader.segment
        funnel, _, step = value.partition(JOINED)
        wanted = max(int(step) - 1, 1) if self.before else 1
        return self.term.read(reader.of(dimension, f"{funnel}{JOINED}{wanted}"), span)

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.term.needs(kind)
