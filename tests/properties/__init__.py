"""Properties: for any input in any order, the numbers follow the definitions."""
