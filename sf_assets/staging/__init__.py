"""The same records, typed: every record of every file accepted, filtered or quarantined, with its file and line."""
