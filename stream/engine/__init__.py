"""The engine: a batch of events becomes counters, and changes become checkpoints."""
