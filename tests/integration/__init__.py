"""Tests against real servers: Apache Kafka, Redis, and the embedded pair."""
