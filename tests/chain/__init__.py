"""The whole chain with the shipped files: Kafka, Redis, workers, Prometheus, Alertmanager, a webhook."""
