"""Benchmark of a first month: seconds, rows per second and memory of each stage."""
