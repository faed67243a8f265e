"""Benchmarks: ratios in one run, never absolute times, never inside a test."""
