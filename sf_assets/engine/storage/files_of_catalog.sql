-- Every file that some snapshot needs, by its path below the tables; none when a path is not below them.
select distinct
    files.size_bytes,
    case
        when files.path_is_relative and tables.path_is_relative and schemas.path_is_relative
            then schemas.path || tables.path || files.path
    end as path
from (
    select table_id, path, path_is_relative, file_size_bytes as size_bytes from __ducklake_metadata_lake.ducklake_data_file
    union all
    select table_id, path, path_is_relative, file_size_bytes from __ducklake_metadata_lake.ducklake_delete_file
) as files
inner join __ducklake_metadata_lake.ducklake_table as tables on files.table_id = tables.table_id
inner join __ducklake_metadata_lake.ducklake_schema as schemas on tables.schema_id = schemas.schema_id
