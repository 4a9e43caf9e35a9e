"""Official names of codes: packaged tables, and newer editions that a batch may bring."""
