"""Oracle: a slow, obvious, independent recount that the engine is compared with."""
