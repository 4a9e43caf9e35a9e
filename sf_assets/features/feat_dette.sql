-- One row is one company that owes or contributes to URSSAF, and one month: what it owed at the cut-off and before, and
-- what it is due to pay. Each event counts from the month its processing day falls in. A debt is followed by differences:
-- the last event of a debt in a month, less the one before, summed up and cumulated (decisions B12, B17).
with events as (
    select
        substr(siret, 1, 9) as siren,
        debit_id,
        cast(date_trunc('month', date_traitement - $shift) as date) as month,
        -- The file counts cents: as integers they cancel out exactly, and add up to the same in any order.
        cast(round(part_ouvriere * 100) as bigint) as part_ouvriere,
        cast(round(part_patronale * 100) as bigint) as part_patronale
    from stg_debit
    where date_trunc('month', date_traitement - $shift) <= $last::date
    qualify row_number() over (
        partition by siret, debit_id, date_trunc('month', date_traitement - $shift)
        order by
            numero_historique_ecart_negatif desc nulls first, date_traitement desc, part_ouvriere + part_patronale desc
    ) = 1
),

changes as (
    select
        siren,
        -- What happened before the first month needed is one opening balance.
        greatest(month, cast($first::date - interval 12 month as date)) as month,
        part_ouvriere - coalesce(lag(part_ouvriere) over debt, 0) as ouvriere,
        part_patronale - coalesce(lag(part_patronale) over debt, 0) as patronale
    from events
    window debt as (partition by debit_id order by month)
),

booked as (
    -- A contribution is booked in the month it becomes known, with the months it covers.
    select
        substr(siret, 1, 9) as siren,
        cast(
            date_trunc(
                'month',
                date_trunc('month', periode_fin) + to_months($cotisation_months) + to_days($cotisation_days - $shift)
            ) as date
        ) as month,
        -- Decimals add up to the same in any order, floating numbers do not.
        cast(du as decimal(30, 4)) as du,
        greatest(date_diff('month', periode_debut, periode_fin), 1) as covered,
        cast(du / covered as decimal(30, 4)) as monthly
    from stg_cotisation
    where du is not null
),

flows as (
    select siren, month, sum(ouvriere) as ouvriere, sum(patronale) as patronale, null as du, null as monthly
    from changes
    group by all
    union all
    select siren, month, null, null, sum(du), sum(monthly)
    from booked
    where month between cast($first::date - interval 23 month as date) and $last::date
    group by all
),

started as (
    -- The mean is over the months covered since the first contribution ever booked, twelve at most.
    select siren, min(cast(month - to_months(covered - 1) as date)) as first_covered
    from booked
    group by siren
),

panel as (
    select c.siren, cast(s.month as date) as month
    from (select distinct siren from flows) as c,
        generate_series(cast($first::date - interval 23 month as date), $last::date, interval 1 month) as s (month)
),

monthly as (
    select
        panel.siren,
        panel.month,
        coalesce(sum(flows.ouvriere), 0) as ouvriere,
        coalesce(sum(flows.patronale), 0) as patronale,
        sum(flows.du) as du,
        sum(flows.monthly) as monthly
    from panel
    left join flows using (siren, month)
    group by all
),

stock as (
    select
        siren,
        month,
        cast(sum(ouvriere) over past as double) / 100 as ouvriere,
        cast(sum(patronale) over past as double) / 100 as patronale,
        cast(last_value(monthly ignore nulls) over year as double) as cotisation,
        cast(sum(du) over year as double)
        / nullif(least(date_diff('month', started.first_covered, month) + 1, 12), 0) as cotisation_mean12m
    from monthly
    left join started using (siren)
    window
        past as (partition by siren order by month),
        year as (partition by siren order by month rows 11 preceding)
),

lagged as (
    select
        month,
        siren,
        cotisation,
        cotisation_mean12m,
        lag(cotisation_mean12m, 6) over w as cotisation_mean12m_lag6m,
        ouvriere as dette_sociale_ouvriere,
        lag(ouvriere, 1) over w as dette_sociale_ouvriere_lag1m,
        lag(ouvriere, 2) over w as dette_sociale_ouvriere_lag2m,
        lag(ouvriere, 3) over w as dette_sociale_ouvriere_lag3m,
        lag(ouvriere, 6) over w as dette_sociale_ouvriere_lag6m,
        lag(ouvriere, 12) over w as dette_sociale_ouvriere_lag12m,
        patronale as dette_sociale_patronale,
        lag(patronale, 1) over w as dette_sociale_patronale_lag1m,
        lag(patronale, 2) over w as dette_sociale_patronale_lag2m,
        lag(patronale, 3) over w as dette_sociale_patronale_lag3m,
        lag(patronale, 6) over w as dette_sociale_patronale_lag6m,
        lag(patronale, 12) over w as dette_sociale_patronale_lag12m,
        count(*) filter (ouvriere + patronale > 0) over (partition by siren order by month rows 11 preceding)
            as mois_en_dette_12m
    from stock
    window w as (partition by siren order by month)
)

select *
from lagged
where month between $first::date and $last::date
