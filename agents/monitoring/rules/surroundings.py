"""Surroundings of rules, routes and scrapes: what differs between deploy/ and a user's stack."""

from dataclasses import dataclass, field

from agents.monitoring.rules.pace import EARNEST, Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Names and addresses of the stack; the defaults are those of deploy/."""

    #: Job label of the workers in Prometheus.
    job: str = "engagement"
    #: Prefix of the alerts' names.
    prefix: str = "Engagement"
    #: Sites with alerts about the product; empty: all sites.
    sites: tuple[str, ...] = ()
    #: Addresses of Grafana and of deploy/RUNBOOK.md.
    dashboards: str = "http://127.0.0.1:3000"
    runbook: str = "deploy/RUNBOOK.md"
    #: host:port of the workers; empty: every address of the name `worker`, as in compose.
    targets: tuple[str, ...] = ()
    #: PEM file, where Prometheus runs, of the authority of web.tls_certfile; empty: the system's.
    ca_file: str = ""
    #: host:port; empty: no notifications.
    alertmanager: str = "alertmanager:9093"
    prometheus: str = "prometheus:9090"
    #: Receiver → address of its webhook.
    webhooks: dict[str, str] = field(default_factory=dict)
    pace: Pace = EARNEST
