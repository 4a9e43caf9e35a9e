-- One row is one company of the head-count file, with the two rules of the perimeter: `is_staffed`, at least $minimum people in
-- one of the last $perimeter_months months; `is_recent`, a value in one of the last three months. Months are counted by column,
-- after the right-most columns that are empty for every company have been dropped. Source: rules §5.2.
with cells as (
    select r.siren, m.place, r.text
    from (
        select fields[$siren] as siren, unnest(fields) as text, generate_subscripts(fields, 1) as place
        from records
        where fault is null
    ) as r
    join months as m using (place)
    where r.text <> ''
),

last_months as (
    select cells.siren, cells.text, months.age
    from cells
    join (
        select place, row_number() over (order by place desc) as age
        from months
        where place <= (select max(place) from cells)
        qualify age <= $perimeter_months
    ) as months using (place)
)

select
    companies.siren,
    coalesce(max(read_effectif(last_months.text)) >= $minimum, false) as is_staffed,
    coalesce(min(last_months.age) <= 3, false) as is_recent
from (
    select distinct fields[$siren] as siren from records where fault is null and length(fields[$siren]) = 9
) as companies
left join last_months using (siren)
group by companies.siren
