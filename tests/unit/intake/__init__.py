"""The process of the intake, without Kafka."""
