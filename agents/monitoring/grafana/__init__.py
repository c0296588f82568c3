"""What Grafana shows: dashboards and its data sources, made from the metric catalogue as frozen values.

`placement` says what stands where, `metric_panels` and `family_panels` make panels of it, `classic`
writes them as Grafana reads them. `python -m agents.monitoring.grafana` writes what deploy/ ships.
"""
