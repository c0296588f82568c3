"""The intake on a real Kafka: re-keying, dead letters, kills, skew."""
