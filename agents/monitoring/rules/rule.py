"""Recording rules, alerts and groups of them, as frozen values."""

from dataclasses import dataclass
from typing import Literal

from agents.monitoring.rules.pace import EARNEST, Pace

Severity = Literal["critical", "warning", "info", "none"]
Signal = Literal[
    "bounce", "churn", "activity", "clicks", "conversion", "satisfaction", "carts",
    "pipeline", "watchdog",
]  # fmt: skip
#: Signals of alerts about the product; the others are about the pipeline.
PRODUCT_SIGNALS: tuple[Signal, ...] = (
    "bounce", "churn", "activity", "clicks", "conversion", "satisfaction", "carts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """Recording rule; `name` is level:metric:operations."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Alert that fires while all `conditions` hold; the first gives its value and labels."""

    name: str
    severity: Severity
    signal: Signal
    conditions: tuple[str, ...]
    #: Seconds that the conditions must hold before it fires, and that it fires after their end.
    hold: float = 0.0
    keep: float = 0.0
    summary: str
    description: str
    #: Dashboard that shows it.
    dashboard: str

    @property
    def expression(self) -> str:
        """Join all conditions."""
        return "\nand\n".join(self.conditions)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules evaluated in order, so that each one reads the results of those before it."""

    name: str
    rules: tuple[Record | Alert, ...]
    #: Divides how long its alerts wait and stay.
    pace: Pace = EARNEST
