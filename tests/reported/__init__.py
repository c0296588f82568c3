"""What users of comparable systems reported as wrong numbers, each with its right value."""
