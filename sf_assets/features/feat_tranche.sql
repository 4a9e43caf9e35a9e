-- One row is one company and month: the last staff band known at the cut-off, at most one year older than the newest
-- that could be known, with its moves, in bands, since one and three years before. A unit without a band is unknown.
with months as (
    select
        cast(month as date) as month,
        cast(last_day(cast(month as date)) + $shift as date) as cutoff
    from generate_series($first::date, $last::date, interval 1 month) as s (month)
),

newest as (
    select months.month, months.cutoff, max(clean_tranche.annee_effectif) as annee_effectif
    from months
    join clean_tranche on clean_tranche.connue_le <= months.cutoff
    group by all
),

bands as (
    -- The places of INSEE's bands, by the least number of people in them.
    select
        *,
        list_position([0, 1, 3, 6, 10, 20, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10000], effectif_minimum) as place,
        min(connue_le) over (
            partition by siren order by annee_effectif rows between 1 following and unbounded following
        ) as remplacee_le
    from clean_tranche
),

moves as (
    select
        bands.*,
        bands.place - year_before.place as tranche_variation12m,
        bands.place - three_years_before.place as tranche_variation36m
    from bands
    left join bands as year_before
        on bands.siren = year_before.siren
        and bands.annee_effectif = year_before.annee_effectif + 1
        and bands.connue_le >= year_before.connue_le
    left join bands as three_years_before
        on bands.siren = three_years_before.siren
        and bands.annee_effectif = three_years_before.annee_effectif + 3
        and bands.connue_le >= three_years_before.connue_le
)

select
    newest.month,
    moves.siren,
    moves.effectif_minimum::double as tranche_effectif,
    date_diff('month', make_date(moves.annee_effectif, 12, 31), newest.cutoff)::double as age_tranche,
    moves.tranche_variation12m::double as tranche_variation12m,
    moves.tranche_variation36m::double as tranche_variation36m
from newest
join moves
    on moves.connue_le <= newest.cutoff
    and coalesce(moves.remplacee_le > newest.cutoff, true)
    and moves.annee_effectif >= newest.annee_effectif - 1
