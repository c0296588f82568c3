"""Unit tests of stream/churn."""
