"""Configuration of Prometheus: targets, intervals, limits and rule files."""

from typing import Any

from agents.monitoring.rules.surroundings import Surroundings
from stream.settings.service import WebSettings


def scraping(web: WebSettings, place: Surroundings) -> dict[str, Any]:
    """Build the whole configuration. Rule files lie in `rules/` beside it."""
    pace = place.pace
    notified = [{"static_configs": [{"targets": [place.alertmanager]}]}]
    return {
        "global": {
            "scrape_interval": pace.of(15),
            "scrape_timeout": pace.of(10),
            "evaluation_interval": pace.of(15),
        },
        "rule_files": ["rules/*.yml"],
        **({"alerting": {"alertmanagers": notified}} if place.alertmanager else {}),
        "scrape_configs": [_workers(web, place)],
    }


def _workers(web: WebSettings, place: Surroundings) -> dict[str, Any]:
    workers: dict[str, Any] = {
        "job_name": place.job,
        # Far above a page's size: Prometheus refuses a larger scrape as a whole.
        "sample_limit": 200_000,
        "label_value_length_limit": 8_192,
    }
    if web.tls_certfile:
        workers["scheme"] = "https"
        if place.ca_file:
            workers["tls_config"] = {"ca_file": place.ca_file}
    if place.targets:
        workers["static_configs"] = [{"targets": list(place.targets)}]
    else:
        # Each address of the name is one worker.
        workers["dns_sd_configs"] = [
            {"names": ["worker"], "type": "A", "port": web.port, "refresh_interval": "15s"}
        ]
    return workers
