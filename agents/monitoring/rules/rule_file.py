"""Rule files: groups of recording rules and alerts, as Prometheus reads them."""

from collections.abc import Sequence
from typing import Any

from agents.monitoring.rules import segments
from agents.monitoring.rules.counts import count_rules
from agents.monitoring.rules.pace import EARNEST, Pace
from agents.monitoring.rules.pipeline import pipeline_alerts
from agents.monitoring.rules.pipeline_rules import pipeline_rules
from agents.monitoring.rules.product import product_alerts
from agents.monitoring.rules.ratios import BOUNCE, CARTS, CONVERSION, click_through, csat, nps
from agents.monitoring.rules.ratios import level_rules as of_level
from agents.monitoring.rules.ratios import ratio_rules as of_ratio
from agents.monitoring.rules.recording import recording_rules
from agents.monitoring.rules.rule import PRODUCT_SIGNALS, Alert, Group, Record
from agents.monitoring.rules.segments import segment_rules
from agents.monitoring.rules.surroundings import Surroundings
from stream.metrics.catalogue import catalogue
from stream.metrics.metric_families import all_families
from stream.settings.application import Settings

#: Prefix of the runbook's headings; a user can give the alerts another one.
HEADING_PREFIX = "Engagement"


def family_groups(settings: Settings, place: Surroundings) -> list[Group]:
    """Build the rules that merge the replicas of every family."""
    families = sorted(all_families(catalogue(settings)), key=lambda family: family.name)
    return [Group("engagement-families", tuple(recording_rules(families, place.pace)))]


def product_groups(settings: Settings, place: Surroundings) -> list[Group]:
    """Build the rules of usual values, and the alerts about the product."""
    pace = place.pace
    ratios = (BOUNCE, click_through(settings))
    levels = (CONVERSION, CARTS, csat(settings), nps(settings))
    usual = [rule for ratio in ratios for rule in of_ratio(ratio, pace)]
    usual += [rule for level in levels for rule in of_level(level, pace)]
    usual += segment_rules(segments.CARTS, pace)
    return [
        Group("engagement-usual", (*usual, *count_rules(pace))),
        Group("engagement-product-alerts", tuple(product_alerts(settings)), pace),
    ]


def pipeline_groups(settings: Settings, place: Surroundings, pace: Pace = EARNEST) -> list[Group]:
    """Build the rules and alerts about the pipeline; a rehearsal does not change their durations.

    A test of the alerts themselves gives a `pace`.
    """
    return [
        Group("engagement-pipeline", tuple(pipeline_rules(pace)), pace),
        Group(
            "engagement-pipeline-alerts", tuple(pipeline_alerts(settings, place.job, pace)), pace
        ),
    ]


def as_document(groups: Sequence[Group], place: Surroundings) -> dict[str, Any]:
    """Build a rule file."""
    return {
        "groups": [
            {
                "name": group.name,
                "rules": [_as_entry(rule, place, group.pace) for rule in group.rules],
            }
            for group in groups
        ]
    }


def _as_entry(rule: Record | Alert, place: Surroundings, pace: Pace) -> dict[str, Any]:
    if isinstance(rule, Record):
        return {"record": rule.name, "expr": rule.expression}
    entry: dict[str, Any] = {"alert": place.prefix + rule.name, "expr": _of_sites(rule, place)}
    if rule.hold:
        entry["for"] = pace.of(rule.hold)
    if rule.keep:
        entry["keep_firing_for"] = pace.of(rule.keep)
    entry["labels"] = {"severity": rule.severity, "signal": rule.signal}
    entry["annotations"] = {
        "summary": rule.summary,
        "description": rule.description,
        "runbook_url": f"{place.runbook}#{(HEADING_PREFIX + rule.name).lower()}",
        "dashboard_url": _dashboard(rule, place),
    }
    return entry


def _of_sites(alert: Alert, place: Surroundings) -> str:
    """Restrict an alert's expression to the chosen sites."""
    if not place.sites or alert.signal not in PRODUCT_SIGNALS:
        return alert.expression
    named = "|".join(_escaped(site) for site in place.sites)
    chosen = f'site:engagement_events_total:max{{site=~"{named}"}}'
    return f"{alert.expression}\nand\non (job, site) {chosen}"


def _escaped(site: str) -> str:
    """Escape a site's name for a regular expression within quotes."""
    special = "\\.+*?()|[]{}^$"
    pattern = "".join(f"\\{letter}" if letter in special else letter for letter in site)
    return pattern.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _dashboard(alert: Alert, place: Surroundings) -> str:
    link = f"{place.dashboards}/d/{alert.dashboard}"
    if alert.signal in PRODUCT_SIGNALS:
        link += "?var-site={{ $labels.site | urlquery }}"
    return link
