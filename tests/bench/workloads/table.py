"""Results of the workloads: one row each beside its limits, as a table and as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from tests.bench.contenders import BASELINE
from tests.bench.race import Outcome, Run
from tests.bench.report import Row, machine, rows
from tests.bench.workloads.catalogue import Workload

HEADINGS = (
    "CPU µs/event", "raw", "x raw", "(min-max)", "before", "at most", "events/s", "peak MB",
    "Redis B/person",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """Runs of one workload, by contender."""

    workload: Workload
    events: int
    outcomes: dict[str, list[Outcome]]

    @property
    def raw(self) -> Row:
        """Medians of the baseline."""
        return rows(self.outcomes)[0]

    @property
    def ours(self) -> Row:
        """Medians of our worker; its ratios are those of pairs of runs."""
        row = rows(self.outcomes)[-1]
        applied = min((run.applied or 0 for run in self._our_runs), default=self.events)
        if applied < self.events and not row.missing:
            return Row(row.contender, row.label, missing=f"wrong: only {applied:,} events counted")
        return row

    @property
    def redis_bytes(self) -> float | None:
        """Median bytes a person; None if no event has a person."""
        sizes = [run.redis_bytes_a_person or 0.0 for run in self._our_runs]
        return median(sizes or [0.0]) or None

    @property
    def _our_runs(self) -> list[Run]:
        [ours] = self.outcomes.keys() - {BASELINE.module}
        return [one for one in self.outcomes[ours] if isinstance(one, Run)]


def table(results: Sequence[Result]) -> str:
    """Return the rows as text, then the limits that were missed."""
    width = max(len(one.workload.name) for one in results)
    cells = [HEADINGS, *(_cells(one) for one in results)]
    widths = [max(len(row[at]) for row in cells) + 2 for at in range(len(HEADINGS))]
    names = ["", *(one.workload.name for one in results)]
    lines = [
        f"{name:{width}}" + "".join(f"{cell:>{w}}" for cell, w in zip(row, widths, strict=True))
        for name, row in zip(names, cells, strict=True)
    ]
    lines += [
        f"{one.workload.name}: {one.ours.missing or one.raw.missing}"
        for one in results
        if one.ours.missing or one.raw.missing
    ]
    return "\n".join((*lines, *missed(results)))


def _cells(result: Result) -> tuple[str, ...]:
    ours, raw, workload = result.ours, result.raw, result.workload
    before, limit = _number(workload.ratio_before), _number(workload.ratio_max)
    if ours.missing or raw.missing:
        return ("-", "-", "-", "-", before, limit, "-", "-", "-")
    return (
        f"{ours.cpu_micros:.2f}",
        f"{raw.cpu_micros:.2f}",
        f"{ours.ratio:.2f}",
        f"{ours.ratio_low:.2f}-{ours.ratio_high:.2f}",
        before,
        limit,
        f"{ours.wall_rate:,.0f}",
        f"{ours.peak_megabytes:.0f}",
        _number(result.redis_bytes and round(result.redis_bytes)),
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def missed(results: Iterable[Result]) -> Iterator[str]:
    """Yield a line for each limit that a workload does not keep."""
    for result in results:
        ours, workload = result.ours, result.workload
        if ours.missing:
            continue
        for name, value, most in (
            ("x raw", ours.ratio, workload.ratio_max),
            ("peak MB", ours.peak_megabytes, workload.peak_megabytes_max),
            ("Redis B/person", result.redis_bytes, workload.redis_bytes_max),
        ):
            if most is not None and value is not None and value > most:
                yield f"missed: {workload.name} has {value:,.4g} {name}, at most {most:,g}"
        if workload.rate_min is not None and ours.wall_rate < workload.rate_min:
            rate = f"{ours.wall_rate:,.0f} events/s, at least {workload.rate_min:,}"
            yield f"missed: {workload.name} has {rate}"


def document(results: Sequence[Result]) -> dict[str, object]:
    """Return everything measured, as JSON values."""
    return {
        "machine": machine(),
        "workloads": {one.workload.name: _measured(one) for one in results},
        "missed": list(missed(results)),
    }


def _measured(result: Result) -> dict[str, object]:
    workload = result.workload
    return {
        "events": result.events,
        "ratio_before": workload.ratio_before,
        "ratio_max": workload.ratio_max,
        "redis_bytes_a_person": result.redis_bytes,
        "rows": [asdict(row) for row in (result.raw, result.ours)],
        "runs": {
            module: [asdict(one) if isinstance(one, Run) else one for one in runs]
            for module, runs in result.outcomes.items()
        },
    }
