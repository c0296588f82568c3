"""Counts of one process: records of each source by outcome, and the kinds that no rule took."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

#: Rule of records that no rule took, as `schemas/mapping` names it.
NO_RULE: Final = "none"
#: A source that has mapped nothing in this many records is probably not what its mapping is for.
UNMATCHED_AFTER: Final = 10_000
_KINDS_MAX: Final = 1_000


@dataclass(slots=True)
class SourceCounts:
    """Records of one source. A record counts once: as mapped if it became one event or more."""

    #: Records that became events; those without, of which something was refused; all others.
    mapped: int = 0
    refused: int = 0
    ignored: int = 0
    events: int = 0
    dead_letters: int = 0
    #: Rule → records and elements of records that it left out.
    ignored_by_rule: Counter[str] = field(default_factory=Counter)
    #: Kind, as the discriminator of the mapping says it → records that no rule took.
    unmatched: Counter[str] = field(default_factory=Counter)

    @property
    def records(self) -> int:
        """Records read."""
        return self.mapped + self.ignored + self.refused

    def ignore(self, rule: str, why: str) -> None:
        """Count a record, or an element of one, that a rule leaves out; `why` names a kind without one."""
        self.ignored_by_rule[rule] += 1
        if rule == NO_RULE and (why in self.unmatched or len(self.unmatched) < _KINDS_MAX):
            self.unmatched[why] += 1

    def close_record(self, events: int, dead_letters: int) -> None:
        """Count a record; there were this many events and dead letters before it."""
        if self.events > events:
            self.mapped += 1
        elif self.dead_letters > dead_letters:
            self.refused += 1
        else:
            self.ignored += 1

    def add(self, other: "SourceCounts") -> None:
        """Add the counts of a transaction that is committed."""
        self.mapped += other.mapped
        self.ignored += other.ignored
        self.refused += other.refused
        self.events += other.events
        self.dead_letters += other.dead_letters
        self.ignored_by_rule.update(other.ignored_by_rule)
        for kind, count in other.unmatched.items():
            if kind in self.unmatched or len(self.unmatched) < _KINDS_MAX:
                self.unmatched[kind] += count

    def trouble(self) -> str:
        """Say that nothing was mapped in 10,000 records, with the commonest kinds; else nothing."""
        if self.mapped or self.records < UNMATCHED_AFTER:
            return ""
        common = ", ".join(f"{kind} ({count})" for kind, count in self.unmatched.most_common(3))
        return f"no event in {self.records} records" + (f"; most are {common}" if common else "")
