"""Tests of mappings: paths, converters, presets, mistakes."""
