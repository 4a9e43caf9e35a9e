-- Files that hold rows of some snapshots.
select path from __ducklake_metadata_lake.ducklake_data_file
where exists (
    select 1 from (select unnest($kept::bigint[]) as kept) as snapshots
    where begin_snapshot <= kept and (end_snapshot is null or end_snapshot > kept)
)
