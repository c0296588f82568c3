"""Dashboards: their form, and every query on a real Prometheus with real numbers."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
