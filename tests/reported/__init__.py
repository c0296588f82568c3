"""Inputs that users of comparable systems reported as wrong, each with its right value."""
