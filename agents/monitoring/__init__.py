"""Files for Prometheus, Alertmanager and Grafana, generated from the catalogue of metrics."""
