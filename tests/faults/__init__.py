"""Real workers on a real Kafka and a real Redis under every kind of fault; the numbers must be exact."""
