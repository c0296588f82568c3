"""Lists the alerts for people: summary, severity, signal, and how long each takes to fire and end."""

from collections.abc import Iterator

from agents.monitoring.rules.pace import EARNEST
from agents.monitoring.rules.pipeline import pipeline_alerts
from agents.monitoring.rules.product import product_alerts
from agents.monitoring.rules.rule import Alert
from agents.monitoring.rules.rule_file import HEADING_PREFIX
from agents.monitoring.rules.surroundings import Surroundings
from stream.settings.application import Settings

_HEADINGS = ("alert", "summary", "severity", "signal", "fires after", "ends after")


def alerts_markdown(settings: Settings) -> str:
    """Build the table of deploy/README.md; each name links to its heading of the runbook."""
    place = Surroundings()
    alerts = (
        *product_alerts(settings),
        *pipeline_alerts(settings, place.job, EARNEST),
    )
    lines = [_HEADINGS, ("---",) * len(_HEADINGS), *(tuple(_row(a)) for a in alerts)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(alert: Alert) -> Iterator[str]:
    name = HEADING_PREFIX + alert.name
    yield f"[`{name}`](RUNBOOK.md#{name.lower()})"
    yield alert.summary.replace("|", "\\|")
    yield alert.severity
    yield alert.signal
    yield EARNEST.of(alert.hold) if alert.hold else "at once"
    yield EARNEST.of(alert.keep) if alert.keep else ""
