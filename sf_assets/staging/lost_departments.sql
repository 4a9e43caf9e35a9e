-- The share of last month's rows in departments that lost more than half of their rows.
with places as (
    select {key} as id, min(departement) as departement from lake.stg_sirene
    where month = {month} {only} group by id
),

now as ({now}),

earlier as ({earlier})

select coalesce(sum(earlier.n) filter (earlier.n >= 20 and coalesce(now.n, 0) < earlier.n / 2) / sum(earlier.n), 0)
from earlier left join now using (departement)
where earlier.departement is not null
