"""Benchmarks: ratios from one run on one machine. `make bench` runs them on a real PostgreSQL."""
