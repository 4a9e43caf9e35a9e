-- One row is one company of the import perimeter: at least $minimum people in one of the last $perimeter_months months of the
-- head-count file. Months are counted by column: the right-most columns that no company fills yet are dropped first.
-- With $recent, one of the last three months must also be filled. Source: sources.md §5.2.
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

kept_months as (
    select place, row_number() over (order by place desc) as age
    from months
    where place <= (select max(place) from cells)
    qualify age <= $perimeter_months
)

select cells.siren
from cells
join kept_months using (place)
where length(cells.siren) = 9
group by cells.siren
having
    max(read_effectif(cells.text)) >= $minimum
    and (not $recent or min(kept_months.age) <= 3)
