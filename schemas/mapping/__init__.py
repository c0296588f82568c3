"""Mappings: records of other products become our events."""
