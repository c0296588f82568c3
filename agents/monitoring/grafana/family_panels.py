"""Panels of the families about the pipeline, from workers and the snapshot."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from agents.monitoring.grafana import wording
from agents.monitoring.grafana.panel import Panel, Query, Step
from agents.monitoring.grafana.selection import SITE, chosen
from agents.monitoring.rules.pace import Pace
from agents.monitoring.rules.pipeline_rules import LAG, MEMORY, NOT_COUNTED, SNAPSHOT
from agents.monitoring.rules.recording import level_of, recorded
from agents.monitoring.rules.surroundings import Surroundings
from stream.counters.measures import BOT_EVENTS, EVENTS
from stream.metrics.catalogue import catalogue
from stream.metrics.families import COUNTERS, PREFIX, Family
from stream.metrics.metric_families import all_families
from stream.settings.application import Settings

_QUANTILES = (50, 95, 99)
_EVENTS = (EVENTS, BOT_EVENTS)


class FamilyPanels:
    """Builds panels of families, by their names without `engagement_`."""

    def __init__(self, settings: Settings, place: Surroundings) -> None:
        self.settings = settings
        self._prefix = place.prefix
        self.pace: Pace = place.pace

    @cached_property
    def families(self) -> Mapping[str, Family]:
        """Name without prefix → family."""
        found = all_families(catalogue(self.settings))
        return {family.name.removeprefix(PREFIX): family for family in found}

    def trend(self, title: str, names: Sequence[str], *, by_site: bool = False) -> Panel:
        """Build lines over time of some families; counters as their rate a second."""
        found = [self.families[name] for name in names]
        queries = [query for family in found for query in _queries(family, len(found) > 1, by_site)]
        return Panel(
            kind="trend",
            title=title,
            description=wording.explain_families(found),
            unit=wording.family_unit(found[0]),
            queries=tuple(queries),
        )

    def number(self, title: str, name: str, steps: tuple[Step, ...] = ()) -> Panel:
        """Build one current number."""
        family = self.families[name]
        return Panel(
            kind="stat",
            title=title,
            description=wording.explain_families([family]),
            unit=wording.family_unit(family),
            queries=_queries(family, False, False),
            steps=steps,
            width=4,
            height=5,
        )

    def derived(
        self, title: str, names: Sequence[str], query: Query, unit: str, more: str
    ) -> Panel:
        """Build lines over time of a value computed from some families."""
        return Panel(
            kind="trend",
            title=title,
            description=wording.explain_families([self.families[name] for name in names], more),
            unit=unit,
            queries=(query,),
        )

    def snapshot_age(self) -> Panel:
        """Build the age of the numbers; red from the alert's limit on."""
        limit = self.settings.publish.snapshot_max_age_seconds
        return Panel(
            kind="stat",
            title="Age of the numbers",
            description=wording.explain_families(
                [self.families["snapshot_timestamp_seconds"]],
                f"Numbers older than {limit:g} s are withheld until there are new ones.",
            ),
            unit="s",
            queries=(Query(expression=f"time() - {chosen(SNAPSHOT)}", legend="{{job}}"),),
            steps=((None, "green"), (limit, "orange"), (2 * limit, "red")),
            width=4,
            height=5,
        )

    def firing(self) -> Panel:
        """Build the number of alerts that fire."""
        name = f'alertname=~"{self._prefix}.+", alertname!="{self._prefix}Watchdog"'
        series = chosen("ALERTS", name, 'alertstate="firing"')
        return Panel(
            kind="stat",
            title="Alerts that fire",
            description="Number of alerts that fire now. The runbook explains each one.",
            unit="none",
            queries=(Query(expression=f"count({series}) or vector(0)", legend="alerts"),),
            steps=((None, "green"), (1, "red")),
            width=4,
            height=5,
        )

    def alerts(self) -> Panel:
        """Build the list of alerts."""
        return Panel(
            kind="alerts",
            title="Alerts",
            description="Alerts that fire or are about to. The runbook has a heading for each.",
            alerts=self._prefix,
            width=24,
            height=6,
        )

    def data_quality(self) -> tuple[Panel, ...]:
        """Build the panels about the completeness and age of the numbers."""
        counted = [name for name in COUNTERS if name not in _EVENTS]
        return (
            self.trend("Events a second", _EVENTS, by_site=True),
            self.trend("Counted a second", counted, by_site=True),
            self.trend("From event to number", ["event_to_visible_seconds"]),
            self.not_counted(),
            self.trend("Not counted, by reason", ["ledger_entries"]),
            self.age("Final up to", "watermark_timestamp_seconds"),
            self.lag(),
        )

    def not_counted(self) -> Panel:
        """Build the share of records that were not counted."""
        return self.derived(
            "Records that were not counted",
            ["records", "ledger_entries"],
            Query(expression=chosen(NOT_COUNTED), legend="{{job}}"),
            "percentunit",
            "Share of rejected and late records in 15 minutes. Duplicates are not among them.",
        )

    def lag(self) -> Panel:
        """Build the number of waiting records by topic."""
        query = Query(expression=chosen(LAG), legend="{{topic}}")
        return self.derived("Waiting in Kafka", ["worker_lag_records"], query, "locale", "")

    def age(self, title: str, name: str) -> Panel:
        """Build the age of a point in time."""
        family = self.families[name]
        legend = " ".join(f"{{{{{label}}}}}" for label in ("job", *family.labels))
        query = Query(expression=f"time() - {chosen(recorded(family))}", legend=legend)
        return self.derived(title, [name], query, "s", "The panel shows its age.")

    def memory(self) -> Panel:
        """Build the used share of Redis's memory."""
        names = ["redis_memory_used_bytes", "redis_memory_max_bytes"]
        query = Query(expression=chosen(MEMORY), legend="{{node}}")
        more = "The panel shows the used share. Servers without a limit are left out."
        return self.derived("Redis memory, share of its limit", names, query, "percentunit", more)

    def checkpoint_duration(self) -> Panel:
        """Build the mean duration of a checkpoint."""
        names = ["worker_cut_duration_seconds", "worker_cuts"]
        spent, checkpoints = (chosen(recorded(self.families[name])) for name in names)
        query = Query(expression=f"{spent} / ({checkpoints} > 0)", legend="{{job}}")
        more = "The panel shows the mean duration of a checkpoint."
        return self.derived("Duration of a checkpoint", names, query, "s", more)


def _queries(family: Family, is_one_of_many: bool, by_site: bool) -> tuple[Query, ...]:
    """Build the queries of a family's recorded series; several for a histogram."""
    site = (SITE,) if by_site and "site" in family.labels else ()
    labels = " ".join(f"{{{{{label}}}}}" for label in family.labels if label != "le") or "{{job}}"
    unit = wording.family_unit(family)
    if family.kind == "histogram":
        names = {f"{q} %": f"{level_of(family)}:{family.name}:p{q}_rate5m" for q in _QUANTILES}
        return tuple(
            Query(expression=chosen(name, *site), legend=f"{share} {labels}", unit=unit)
            for share, name in names.items()
        )
    series = recorded(family)
    if family.kind == "counter":
        series = f"{level_of(family)}:{family.name}:rate5m"
    if is_one_of_many:
        labels = f"{wording.title(wording.short_name(family))} {labels}"
    return (Query(expression=chosen(series, *site), legend=labels, unit=unit),)
