"""Workloads: traffic of several shapes, each read by our worker and by raw aiokafka in one run."""
