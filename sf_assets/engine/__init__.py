"""Storage of tables, checks, and the building of assets from queries, for any table: nothing here names one."""
