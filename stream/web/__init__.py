"""The worker's pages: live numbers for people, metrics for Prometheus, health for supervisors."""
