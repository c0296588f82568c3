"""A batch of events becomes counters: admission, application, checkpoint."""
