"""Every table, suite and column of the project by name, with its lineage and confidentiality, and the pages derived from them."""
