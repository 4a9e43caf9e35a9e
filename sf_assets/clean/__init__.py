"""The clean tables: one table per kind of entity, each made from the batch's staging tables by the query of the same name."""
