"""Rules, alerts and routes are tried on the real promtool, amtool and Alertmanager."""
