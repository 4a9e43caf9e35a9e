-- One row is one column of texts whose smallest or largest value the catalog stores: of a table, or of a file (its path).
with texts as (
    select distinct table_id, column_id from __ducklake_metadata_lake.ducklake_column where lower(column_type) = 'varchar'
)

select
    stats.table_id,
    stats.column_id,
    null as path,
    stats.min_value,
    stats.max_value
from __ducklake_metadata_lake.ducklake_table_column_stats as stats
semi join texts on stats.table_id = texts.table_id and stats.column_id = texts.column_id

union all

select
    stats.table_id,
    stats.column_id,
    data_file.path,
    stats.min_value,
    stats.max_value
from __ducklake_metadata_lake.ducklake_file_column_stats as stats
semi join texts on stats.table_id = texts.table_id and stats.column_id = texts.column_id
left join __ducklake_metadata_lake.ducklake_data_file as data_file on stats.data_file_id = data_file.data_file_id
