"""Simulated traffic, and the demonstration that needs no server."""
