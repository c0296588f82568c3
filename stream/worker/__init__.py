"""One worker: owns shards, feeds them batches, stores checkpoints and publishes."""
