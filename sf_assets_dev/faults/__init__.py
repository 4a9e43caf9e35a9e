"""Faults of deliveries and tables, the check that must catch each, and the trials that prove it."""
