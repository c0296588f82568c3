"""Carries foreign records into our input topics, in transactions of Kafka."""
