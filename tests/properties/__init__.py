"""Properties: whatever comes in, in whatever order, the numbers are those of the definitions."""
