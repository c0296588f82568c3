"""Rules of Grafana's dashboard-linter, except the two that `.lint` excludes with a reason.

Rules for Loki do not apply. For each rule, a dashboard that breaks it is found.
"""

import copy
from collections.abc import Callable, Iterator

import promql_parser
import pytest

from tests.grafana.shipped import CHOSEN, NAMES, Json, dashboard, filled

#: Units of Grafana that are used here; prefixes of currencies are allowed as well.
UNITS = {"bytes", "cps", "locale", "none", "percentunit", "s"}
NEEDS_RATE = ("rate", "irate", "increase")


def shown(merged: Json) -> Iterator[Json]:
    """Yield its panels, including those in collapsed rows."""
    for panel in merged["panels"]:
        yield from panel.get("panels", []) if panel["type"] == "row" else [panel]


def with_queries(merged: Json) -> Iterator[Json]:
    return (panel for panel in shown(merged) if panel["type"] != "alertlist")


def variables(merged: Json) -> dict[str, Json]:
    return {variable["name"]: variable for variable in merged["templating"]["list"]}


def expressions(merged: Json) -> Iterator[str]:
    for panel in with_queries(merged):
        for query in panel["targets"]:
            yield query["expr"]


def selectors(node: promql_parser.Expr) -> Iterator[promql_parser.VectorSelector]:
    """Yield every selector of an expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "param", "vector_selector", "selector"):
        inner = getattr(node, name, None)
        if isinstance(inner, promql_parser.Expr):
            yield from selectors(inner)
    for argument in getattr(node, "args", None) or ():
        yield from selectors(argument)


def template_datasource(merged: Json) -> bool:
    found = variables(merged).get("datasource", {})
    return (found.get("type"), found.get("query"), found.get("label")) == (
        "datasource", "prometheus", "Data Source",
    )  # fmt: skip


def template_job(merged: Json) -> bool:
    found = variables(merged).get("job", {})
    return (
        found.get("label") == "Job"
        and found.get("type") == "query"
        and found["multi"] is True
        and found["allValue"] == ".+"
        and found["datasource"]["uid"] == "$datasource"
    )


def template_label_promql(merged: Json) -> bool:
    """label_values(selector, label), with a selector that parses."""
    for variable in variables(merged).values():
        if variable["type"] != "query":
            continue
        text = variable["query"]["query"]
        if not (text.startswith("label_values(") and text.endswith(")")):
            return False
        selector, _, label = text[len("label_values(") : -1].rpartition(", ")
        if not label.isidentifier() or not parses(selector):
            return False
    return True


def template_on_time_change_reload(merged: Json) -> bool:
    queried = [v for v in variables(merged).values() if v["type"] == "query"]
    return all(variable["refresh"] == 2 for variable in queried)


def panel_datasource(merged: Json) -> bool:
    return all(panel["datasource"]["uid"] == "$datasource" for panel in with_queries(merged))


def panel_title_description(merged: Json) -> bool:
    return all(panel["title"] and panel["description"] for panel in shown(merged))


def panel_units(merged: Json) -> bool:
    units = [panel["fieldConfig"]["defaults"].get("unit") for panel in with_queries(merged)]
    return all(unit in UNITS or str(unit).startswith("currency:") for unit in units)


def panel_no_targets(merged: Json) -> bool:
    return all(panel["targets"] for panel in with_queries(merged))


def parses(expression: str) -> bool:
    try:
        promql_parser.parse(filled(expression))
    except ValueError:
        return False
    return True


def target_promql(merged: Json) -> bool:
    return all(map(parses, expressions(merged)))


def target_rate_interval(merged: Json) -> bool:
    """Rates are computed by recording rules, over windows of their own; never here."""
    return not any(f"{name}(" in text for text in expressions(merged) for name in NEEDS_RATE)


def target_job(merged: Json) -> bool:
    """Each selector has the matcher that the variable fills in."""
    for text in expressions(merged):
        found = [*selectors(promql_parser.parse(text))]
        for selector in found:
            matchers = {(m.name, str(m.op), m.value) for m in selector.matchers.matchers}
            if not any(name == "job" and value == "$job" for name, _, value in matchers):
                return False
        if not found:
            return False
    return True


def target_counter_agg(merged: Json) -> bool:
    return not any(
        (selector.name or "").endswith("_total")
        for text in expressions(merged)
        for selector in selectors(promql_parser.parse(text))
    )


def uneditable_dashboard(merged: Json) -> bool:
    return merged["editable"] is False


RULES = (
    template_datasource, template_job, template_label_promql, template_on_time_change_reload,
    panel_datasource, panel_title_description, panel_units, panel_no_targets, target_promql,
    target_rate_interval, target_job, target_counter_agg, uneditable_dashboard,
)  # fmt: skip
Rule = Callable[[Json], bool]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_dashboards_keep_the_rule(name: str, rule: Rule) -> None:
    assert rule(dashboard(name))


def spoiled(rule: Rule) -> Json:
    """Return the first dashboard with one change that the rule must find."""
    merged = copy.deepcopy(dashboard(NAMES[0]))
    panel = next(with_queries(merged))
    query = panel["targets"][0]
    found = variables(merged)
    changes: dict[Rule, Callable[[], object]] = {
        template_datasource: lambda: found["datasource"].update(label="Source"),
        template_job: lambda: found["job"].update(multi=False),
        template_label_promql: lambda: found["site"]["query"].update(query="label_values(up{, x)"),
        template_on_time_change_reload: lambda: found["site"].update(refresh=1),
        panel_datasource: lambda: panel["datasource"].update(uid="engagement-prom"),
        panel_title_description: lambda: panel.update(description=""),
        panel_units: lambda: panel["fieldConfig"]["defaults"].update(unit="furlongs"),
        panel_no_targets: lambda: panel.update(targets=[]),
        target_promql: lambda: query.update(expr="sum(up"),
        target_rate_interval: lambda: query.update(expr='rate(up_total{job=~"$job"}[5m])'),
        target_job: lambda: query.update(expr='up{job=~"$job"} / up{site="a"}'),
        target_counter_agg: lambda: query.update(expr='max(x_total{job=~"$job"} offset 1w)'),
        uneditable_dashboard: lambda: merged.update(editable=True),
    }
    changes[rule]()
    return merged


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_finds_a_dashboard_that_breaks_it(rule: Rule) -> None:
    assert not rule(spoiled(rule))


def test_every_used_variable_exists() -> None:
    for name in NAMES:
        known = variables(dashboard(name)).keys()
        values = {variable: CHOSEN[variable] for variable in known}
        for panel in shown(dashboard(name)):
            filled(panel["title"], values)
        for text in expressions(dashboard(name)):
            filled(text, values)
        for annotation in dashboard(name)["annotations"]["list"]:
            assert parses(filled(annotation["expr"], values))
