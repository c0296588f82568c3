"""What Prometheus, Alertmanager and Grafana are given, generated from the catalogue."""
