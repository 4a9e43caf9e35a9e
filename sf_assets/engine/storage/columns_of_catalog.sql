-- The columns of the tables of DuckLake in the database of a catalog.
select table_name, column_name, data_type
from duckdb_columns()
where database_name = $database and starts_with(table_name, 'ducklake_')
order by table_name, column_index
