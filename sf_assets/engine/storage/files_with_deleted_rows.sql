-- Files of a table in which some rows are deleted.
select data.path from __ducklake_metadata_lake.ducklake_data_file as data
join __ducklake_metadata_lake.ducklake_delete_file as deletes using (data_file_id)
join __ducklake_metadata_lake.ducklake_table as tables on data.table_id = tables.table_id
where tables.table_name = $table and tables.end_snapshot is null and data.end_snapshot is null
    and deletes.end_snapshot is null
