-- How many records of a file are corrected, of which accepted ones, with their quarantined cells.
select
    count(*),
    count(*) filter (where accepted.line is not null),
    coalesce(sum(notes.cells) filter (where accepted.line is not null), 0)
from corrections
left join (select distinct line from typed where file = $file and disposition = 'accepted') as accepted
    on corrections.original_line = accepted.line
left join (
    select line, count(*) as cells from quarantine where file = $file and level = 'cell' group by line
) as notes on corrections.original_line = notes.line
where corrections.file = $file
