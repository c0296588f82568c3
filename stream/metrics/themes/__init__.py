"""Themes of the catalogue, one a module."""
