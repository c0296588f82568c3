"""Terms of shares whose whole is counted in another segment."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.outputs import WindowKind
from stream.counters.windows import Span
from stream.metrics.metric import JOINED, OWN_DIMENSIONS
from stream.metrics.terms import Need, Reader, Term


@dataclass(frozen=True, slots=True)
class OfSite:
    """Term of the whole site, for a segment of an own dimension such as a goal.

    For a segment of a configured dimension, such as a country, it is read from that segment.
    """

    term: Term

    def read(self, reader: Reader, span: Span) -> float:
        _, dimension, _ = reader.segment
        return self.term.read(reader.of("", "") if dimension in OWN_DIMENSIONS else reader, span)

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.term.needs(kind)


@dataclass(frozen=True, slots=True)
class AtStep:
    """Term of the first step of a segment's funnel, or of the step before the segment's own."""

    term: Term
    before: bool = False

    def read(self, reader: Reader, span: Span) -> float:
        _, dimension, value = reader.segment
        funnel, _, step = value.partition(JOINED)
        wanted = max(int(step) - 1, 1) if self.before else 1
        return self.term.read(reader.of(dimension, f"{funnel}{JOINED}{wanted}"), span)

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.term.needs(kind)
