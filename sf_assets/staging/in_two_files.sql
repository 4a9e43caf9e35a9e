-- One row at most: two files of one source that share establishments, with the number shared and the number in the smaller file
-- (`least`). Files that share at most the part `$most` of the smaller one have no row: some establishments move between areas.
with establishments as (
    select file::varchar as file, siret, count(*) over (partition by file) as in_file
    from (
        select distinct file, siret from typed
        where disposition = 'accepted' and file::varchar not in (select unnest($corrections))
    ) as rows_of_files
)

select former.file, other.file as other, count(*) as shared, min(least(former.in_file, other.in_file)) as least
from establishments as former
inner join establishments as other on former.siret = other.siret and former.file < other.file
group by former.file, other.file
having count(*) > $most * min(least(former.in_file, other.in_file))
order by former.file, other.file
limit 1
