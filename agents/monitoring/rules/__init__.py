"""What Prometheus and Alertmanager are told: rules, alerts, routes and scrapes, as frozen values.

`families` asks the exporter what it serves; `recording`, `ratios`, `product` and `pipeline` say what
follows from it; `rule_file`, `routing` and `scraping` put it into files, which `yaml_text` writes.
`python -m agents.monitoring.rules` writes what deploy/ ships, with `--check` it only compares.
"""
