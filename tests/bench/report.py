"""Result of a race: medians of pairwise ratios to the baseline, as a table and as JSON."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from tests.bench.contenders import BASELINE, CONTENDERS, CORE, EVERYTHING, Contender
from tests.bench.race import Outcome, Run

HEADINGS = ("CPU µs/event", "x raw", "(min-max)", "events/CPU s", "events/s", "peak MB")


@dataclass(frozen=True)
class Row:
    """One contender's line: medians over its rounds, or the reason for its absence."""

    contender: str
    label: str
    missing: str | None = None
    runs: int = 0
    events: int = 0
    cpu_micros: float = 0.0
    ratio: float = 0.0
    ratio_low: float = 0.0
    ratio_high: float = 0.0
    wall_rate: float = 0.0
    peak_megabytes: float = 0.0


def rows(
    outcomes: dict[str, list[Outcome]], contenders: Sequence[Contender] = CONTENDERS
) -> list[Row]:
    """Return one row a contender, in the order of the table."""
    base = outcomes[BASELINE.module]
    return [
        _row(one.module, one.label, outcomes[one.module], base)
        for one in contenders
        if one.module in outcomes
    ]


def _row(module: str, label: str, outcomes: list[Outcome], base: list[Outcome]) -> Row:
    """Divide each run by the baseline of its own round: changes of the machine's speed cancel out."""
    reasons = [one for one in outcomes if isinstance(one, str)]
    if reasons:
        return Row(module, label, missing=reasons[0])
    runs = [one for one in outcomes if isinstance(one, Run)]
    ratios = [
        run.cpu_micros / raw.cpu_micros
        for run, raw in zip(runs, base, strict=False)
        if isinstance(raw, Run)
    ]
    if not ratios:
        return Row(module, label, missing="the baseline has no numbers")
    return Row(
        contender=module,
        label=label,
        runs=len(runs),
        events=runs[0].events,
        cpu_micros=median(run.cpu_micros for run in runs),
        ratio=median(ratios),
        ratio_low=min(ratios),
        ratio_high=max(ratios),
        wall_rate=median(run.events / run.wall_seconds for run in runs),
        peak_megabytes=median(run.peak_megabytes for run in runs),
    )


def table(result: list[Row]) -> str:
    """Return the rows as text."""
    width = max(len(row.label) for row in result)
    lines = [f"{'':{width}}" + "".join(f"{heading:>14}" for heading in HEADINGS)]
    for row in result:
        if row.missing is not None:
            lines.append(f"{row.label:{width}}  {row.missing}")
            continue
        cells = (
            f"{row.cpu_micros:.2f}",
            f"{row.ratio:.2f}",
            f"{row.ratio_low:.2f}-{row.ratio_high:.2f}",
            f"{1e6 / row.cpu_micros:,.0f}",
            f"{row.wall_rate:,.0f}",
            f"{row.peak_megabytes:.0f}",
        )
        lines.append(f"{row.label:{width}}" + "".join(f"{cell:>14}" for cell in cells))
    return "\n".join(lines)


def findings(outcomes: dict[str, list[Outcome]]) -> dict[str, float]:
    """Return the medians of our own worker that are not in the table."""
    whole = [one for one in outcomes.get(EVERYTHING, ()) if isinstance(one, Run)]
    core = [one for one in outcomes.get(CORE, ()) if isinstance(one, Run)]
    found: dict[str, float] = {}
    if whole and core:
        pairs = zip(whole, core, strict=False)
        found["everything_to_core_ratio"] = median(a.cpu_micros / b.cpu_micros for a, b in pairs)
    if sizes := [one.redis_bytes_a_person for one in whole if one.redis_bytes_a_person]:
        found["redis_bytes_a_person"] = median(sizes)
    return found


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def document(result: list[Row], outcomes: dict[str, list[Outcome]]) -> dict[str, object]:
    """Return everything measured, as JSON values."""
    raw = {
        module: [asdict(one) if isinstance(one, Run) else one for one in runs]
        for module, runs in outcomes.items()
    }
    return {
        "machine": machine(),
        "contenders": [asdict(row) for row in result],
        "findings": findings(outcomes),
        "runs": raw,
    }
