"""Definitions shared by every package: columns, rules, tables, months, publication delays, parameters, failures. No I/O."""
