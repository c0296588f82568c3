"""Real servers for tests: a Kafka broker and a Redis, on loopback, in directories of their own."""
