"""Rules, alerts, routes and scrapes for Prometheus and Alertmanager, as frozen values.

`recording` merges the replicas of every Prometheus family (stream/metrics/families.py). `ratios`,
`counts` and `segments` add usual values, `product` and `pipeline` the alerts. `rule_file`, `routing`
and `scraping` put them into files, which `yaml_text` writes. `python -m agents.monitoring.rules` writes
those of deploy/; with `--check` it compares.
"""
