"""Contracts: loops over everything that is promised, one entry at a time."""
