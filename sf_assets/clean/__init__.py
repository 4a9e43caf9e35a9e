"""One truth per entity: the clean tables, each the query of the same name, built from the batch's staging tables."""
