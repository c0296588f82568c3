"""The engine over files, without a broker or Redis."""
