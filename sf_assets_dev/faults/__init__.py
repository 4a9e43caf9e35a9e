"""Faults of deliveries and tables, each with the check that must catch it, and the trials that prove it."""
