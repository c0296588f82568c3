"""Tests of /api/query: parameters, refusals, and answers that are exact."""
