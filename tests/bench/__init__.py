"""Benchmarks: `make bench` runs them all, prints what it saw against the limits, and writes bench.json."""
