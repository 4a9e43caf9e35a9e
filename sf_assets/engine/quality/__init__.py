"""Checks: what a table promises, how a month of it is checked, where verdicts are stored, and the gate that reads them."""
