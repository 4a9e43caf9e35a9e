-- One row is one file with its records by outcome.
select
    file,
    coalesce(sum(records) filter (disposition = 'accepted'), 0),
    coalesce(sum(records) filter (disposition = 'filtered'), 0),
    coalesce(sum(records) filter (disposition = 'quarantined'), 0),
    (select count(*) from quarantine as q where q.file = f.file and level = 'cell'),
    0, coalesce(sum(outside), 0), coalesce(sum(copies), 0)
from (select unnest($names) as file) as f left join tally using (file)
group by file order by file
