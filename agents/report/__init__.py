"""`engage report`: runs the engine over files and prints its numbers."""
