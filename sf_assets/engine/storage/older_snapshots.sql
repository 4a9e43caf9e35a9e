-- Snapshots older than a day, except those that published lists need and the last.
select snapshot_id from lake.snapshots()
where snapshot_time < $1::date::timestamp at time zone 'UTC' and snapshot_id not in (select unnest($2::bigint[]))
    and snapshot_id < (from lake.current_snapshot())
order by snapshot_id
