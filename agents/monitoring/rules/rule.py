"""What a rule is: one frozen value each for recording rules, alerts and groups of them."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "warning", "info", "none"]
Signal = Literal[
    "bounce", "churn", "activity", "clicks", "conversion", "satisfaction", "carts",
    "pipeline", "watchdog",
]  # fmt: skip
#: Signals of the people who answer for the product, in contrast to those who run the pipeline.
PRODUCT_SIGNALS: tuple[Signal, ...] = (
    "bounce", "churn", "activity", "clicks", "conversion", "satisfaction", "carts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule: `name` is level:metric:operations."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert. It fires while all `conditions` hold; the first of them gives its value and labels."""

    name: str
    severity: Severity
    signal: Signal
    conditions: tuple[str, ...]
    #: Seconds that it must hold before it fires, and that it goes on firing after it holds no more.
    hold: float = 0.0
    keep: float = 0.0
    summary: str
    description: str
    #: Which dashboard shows it.
    dashboard: str

    @property
    def expression(self) -> str:
        """All conditions in one."""
        return "\nand\n".join(self.conditions)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other, so that each sees what those before it say."""

    name: str
    rules: tuple[Record | Alert, ...]
