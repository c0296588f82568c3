"""Kafka: Faust's transport, the log and the producer."""
