"""Configuration of Alertmanager: receivers, routes, inhibitions and the dead man's switch."""

from typing import Any

from agents.monitoring.rules.rule import PRODUCT_SIGNALS
from agents.monitoring.rules.surroundings import Surroundings

#: Receiver → its people.
RECEIVERS = {
    "product": "the people who answer for the product",
    "operations": "the people who run the pipeline",
    "oncall": "the person on call, for critical alerts",
    "deadman": "a service outside that raises the alarm when the watchdog falls silent",
}


def routing(place: Surroundings) -> dict[str, Any]:
    """Build the whole configuration."""
    return {
        "route": _route(place),
        "inhibit_rules": _inhibitions(place),
        "receivers": [_receiver(name, place) for name in RECEIVERS],
    }


def _route(place: Surroundings) -> dict[str, Any]:
    product = "|".join(PRODUCT_SIGNALS)
    return {
        "receiver": "operations",
        "group_by": ["alertname", "job", "site"],
        "group_wait": place.pace.of(30),
        "group_interval": place.pace.of(300),
        "repeat_interval": place.pace.of(4 * 3600),
        "routes": [
            {
                "matchers": ['signal = "watchdog"'],
                "receiver": "deadman",
                "group_wait": "0s",
                "group_interval": place.pace.of(60),
                "repeat_interval": place.pace.of(60),
            },
            {"matchers": ['severity = "critical"'], "receiver": "oncall", "continue": True},
            {"matchers": [f'signal =~ "{product}"'], "receiver": "product"},
            {"matchers": ['signal = "pipeline"'], "receiver": "operations"},
        ],
    }


def _inhibitions(place: Surroundings) -> list[dict[str, Any]]:
    """Build the rules by which a cause mutes its consequences.

    A label that both sides lack counts as equal. So a source must have a job: without one it would
    mute every alert without a job.
    """
    product = "|".join(PRODUCT_SIGNALS)
    ours = ['job =~ ".+"']
    return [
        {
            "source_matchers": [f'alertname = "{place.prefix}ExporterAbsent"', *ours],
            "target_matchers": [
                f'signal =~ "{product}|pipeline"',
                f'alertname != "{place.prefix}ExporterAbsent"',
            ],
            "equal": ["job"],
        },
        *(
            {
                "source_matchers": [f'alertname = "{place.prefix}{cause}"', *ours],
                "target_matchers": [f'signal =~ "{product}"'],
                "equal": ["job"],
            }
            for cause in ("SnapshotStale", "NumbersStale", "RebuildRunning")
        ),
    ]


def _receiver(name: str, place: Surroundings) -> dict[str, Any]:
    receiver: dict[str, Any] = {"name": name}
    if name in place.webhooks:
        hook: dict[str, Any] = {"url": place.webhooks[name], "send_resolved": name != "deadman"}
        receiver["webhook_configs"] = [hook]
    return receiver
