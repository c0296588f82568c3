"""Dashboards and data sources of Grafana, built from the metric catalogue as frozen values.

`placement` gives each metric its place, `metric_panels` and `family_panels` build the panels, and
`classic` writes them as Grafana reads them. `python -m agents.monitoring.grafana` writes deploy/grafana.
"""
