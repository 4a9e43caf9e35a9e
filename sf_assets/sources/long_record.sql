-- One row is the first record whose texts have more line breaks than $1: its place, from 1, and their number.
with texts as (select {columns} from records),

counted as (
    select
        row_number() over () as place,
        list_sum([len(x) - len(replace(x, chr(10), '')) for x in list_value(*columns(*))]) as breaks
    from texts
)

select
    place,
    breaks
from counted
where breaks > $1
order by place
limit 1
