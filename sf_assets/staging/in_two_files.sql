-- One row at most: two files of one source, and how many of the identifiers of the smaller one, `least`, are in both. Of some
-- establishments that move between areas there is no row: they are fewer than `$most` of the smaller file.
with held as (
    select file::varchar as file, siret, count(*) over (partition by file) as all_of_file
    from (
        select distinct file, siret from typed
        where disposition = 'accepted' and file::varchar not in (select unnest($mending))
    ) as rows_of_files
)

select one.file, other.file as other, count(*) as shared, min(least(one.all_of_file, other.all_of_file)) as least
from held as one
inner join held as other on one.siret = other.siret and one.file < other.file
group by one.file, other.file
having count(*) > $most * min(least(one.all_of_file, other.all_of_file))
order by one.file, other.file
limit 1
