"""Real workers on a real Kafka and a real Redis, hurt in every way; the numbers must come out right."""
