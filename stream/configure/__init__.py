"""Loads settings from a file and variables, checks them, and compiles them into rules."""
