-- The label table of legal categories, from the lines of INSEE's file.
select
    split_part(line, ',', 1) as code,
    case when contains(line, ',') then trim(trim(line[strpos(line, ',') + 1:], ' '), '"') end as libelle
from categories
