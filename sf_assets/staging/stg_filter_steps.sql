-- One row is one step towards the import perimeter, with the companies before and after it. A company that stands twice in
-- the head-count file counts once. The rules are those of stg_filter_import. Source: sources.md §5.6.
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
),

companies as (
    select
        max(read_effectif(cells.text)) >= $minimum as is_staffed,
        not $recent or min(kept_months.age) <= 3 as is_recent
    from cells
    join kept_months using (place)
    where length(cells.siren) = 9
    group by cells.siren
),

counts as (
    select
        count(*) filter (where is_staffed) as staffed,
        count(*) filter (where is_staffed and is_recent) as recent,
        (
            select count(distinct fields[$siren]) from records where fault is null and length(fields[$siren]) = 9
        ) as initial
    from companies
)

select 1 as ordre, 'perimetre_initial' as etape, initial as avant, 0 as exclues, initial as apres from counts
union all
select 2 as ordre, 'effectif' as etape, initial as avant, initial - staffed as exclues, staffed as apres from counts
union all
select 3 as ordre, 'donnees_recentes' as etape, staffed as avant, staffed - recent as exclues, recent as apres from counts
