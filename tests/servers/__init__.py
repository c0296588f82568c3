"""Real servers for tests: a Kafka broker and a Redis, on loopback, each in its own directory."""
