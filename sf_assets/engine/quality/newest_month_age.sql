-- The age, in months, of the newest month with at least half of the rows of the median month.
with counted as (select {period} as periode, {total} as n from {batch} group by all)
select date_diff('month', max(periode), {month})
from (select periode, n >= median(n) over () / 2 as filled from counted where periode <= {month}) as months
where filled
