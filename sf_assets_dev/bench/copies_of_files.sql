-- Rows of a table of the catalog, for copies of the live files of one table outside of a month: same files, other numbers.
insert into __ducklake_metadata_lake.{metadata} by name
select rows_of_files.* replace ({first} + copies.n * 100000 + rows_of_files.data_file_id as data_file_id)
from __ducklake_metadata_lake.{metadata} as rows_of_files, range({copies}) as copies (n)
where rows_of_files.data_file_id in (
    select stored.data_file_id
    from __ducklake_metadata_lake.ducklake_data_file as stored
    inner join __ducklake_metadata_lake.ducklake_file_partition_value as partitions using (data_file_id)
    where stored.end_snapshot is null and stored.data_file_id < 10000000 and partitions.partition_value <> '{month}'
)
