"""Kafka: Faust's transport and app, the log, and the producer."""
