"""The last layer: alert levels with their reasons, and the files that public officers receive."""
