-- The corrections that were read, with the file and line of the record that each replaces.
create or replace temp table corrections as
select
    valid.file as correction, valid.line, pairs.original as file, read_entier({number}) as original_line,
    row_number() over (partition by pairs.original, original_line order by line) > 1 as is_repeated
from (select distinct file, line, {number} from typed where disposition <> 'quarantined') as valid
join (select unnest($corrections) as correction, unnest($files) as original) as pairs
    on valid.file = pairs.correction
