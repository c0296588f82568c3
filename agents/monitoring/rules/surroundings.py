"""Where rules, routes and scrapes will run: what differs between our own stack and a user's."""

from dataclasses import dataclass, field

from agents.monitoring.rules.pace import EARNEST, Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The defaults are those of deploy/."""

    #: The `job` under which Prometheus scrapes the workers.
    job: str = "engagement"
    #: What the names of alerts begin with.
    prefix: str = "Engagement"
    #: Only these sites raise product alerts; none named: all of them.
    sites: tuple[str, ...] = ()
    #: Where Grafana is, and where deploy/RUNBOOK.md can be read.
    dashboards: str = "http://127.0.0.1:3000"
    runbook: str = "deploy/RUNBOOK.md"
    #: host:port of the workers. None named: every address of the name `worker`, as in compose.
    targets: tuple[str, ...] = ()
    #: host:port; empty: nobody is notified.
    alertmanager: str = "alertmanager:9093"
    prometheus: str = "prometheus:9090"
    #: Receiver → address of its webhook.
    webhooks: dict[str, str] = field(default_factory=dict)
    pace: Pace = EARNEST
