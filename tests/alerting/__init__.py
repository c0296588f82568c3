"""Rules, alerts and routes, tested on the real promtool, amtool and Alertmanager."""
