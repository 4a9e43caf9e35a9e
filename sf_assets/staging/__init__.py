"""The staging layer: the delivered records with typed values, each accepted, filtered or quarantined, by file and line."""
