"""The catalogue of metrics: their definition, the terms of formulas, and one module a theme."""
