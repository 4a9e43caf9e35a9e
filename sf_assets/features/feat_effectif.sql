-- One row is one company and month: the last head-count known at the cut-off, at most six months older than the newest
-- that could be known, and the same quantity three, twelve and twenty-four months before.
with known as (
    select
        siren,
        cast(date_trunc('month', known_from_effectif_ent(periode) - $shift) as date) as month,
        effectif_ent
    from clean_effectif_ent
    where
        date_trunc('month', known_from_effectif_ent(periode) - $shift)
        between $first::date - interval 30 month and $last::date
),

panel as (
    select c.siren, cast(s.month as date) as month
    from (select distinct siren from known) as c,
        generate_series(cast($first::date - interval 30 month as date), $last::date, interval 1 month) as s (month)
),

filled as (
    select
        siren,
        month,
        last_value(known.effectif_ent ignore nulls) over (partition by siren order by month rows 5 preceding) as effectif
    from panel
    left join known using (siren, month)
),

lagged as (
    select
        month,
        siren,
        effectif,
        lag(effectif, 3) over w as effectif_lag3m,
        lag(effectif, 12) over w as effectif_lag12m,
        lag(effectif, 24) over w as effectif_lag24m
    from filled
    window w as (partition by siren order by month)
)

select *
from lagged
where month between $first::date and $last::date and effectif is not null
