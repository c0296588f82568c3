"""The alerts as a table for people: what each one says, to whom, and after how long."""

from collections.abc import Iterator

from agents.monitoring.rules.pace import EARNEST
from agents.monitoring.rules.pipeline import pipeline_alerts
from agents.monitoring.rules.product import product_alerts
from agents.monitoring.rules.rule import Alert
from agents.monitoring.rules.rule_file import HEADING_PREFIX
from agents.monitoring.rules.surroundings import Surroundings
from stream.settings.application import Settings

_HEADINGS = ("alert", "what it says", "severity", "signal", "fires after", "ends after")


def alerts_markdown(settings: Settings) -> str:
    """As the README has it; each name is a heading of the runbook."""
    place = Surroundings()
    alerts = (
        *product_alerts(settings),
        *pipeline_alerts(settings, place.job, EARNEST),
    )
    lines = [_HEADINGS, ("---",) * len(_HEADINGS), *(tuple(_row(a, place)) for a in alerts)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(alert: Alert, place: Surroundings) -> Iterator[str]:
    name = HEADING_PREFIX + alert.name
    yield f"[`{name}`]({place.runbook}#{name.lower()})"
    yield alert.summary.replace("|", "\\|")
    yield alert.severity
    yield alert.signal
    yield EARNEST.of(alert.hold) if alert.hold else "at once"
    yield EARNEST.of(alert.keep) if alert.keep else ""
