"""Inputs of the property tests: traffic, and the settings it is counted with."""
