"""The months on several machines' services, compared with the embedded default."""
