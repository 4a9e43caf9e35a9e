-- One row is one month of a company that owed, contributed to or agreed a payment plan with URSSAF in the twenty-four
-- months until then: its debts, its contributions due, and the outcome of its plans. Each event counts from the month of its
-- processing day. A debt is computed by differences: the last event of a debt in a month, minus the last event before,
-- summed by company and cumulated (deviations B12, B17). A plan is respected when nothing is owed at the end of the
-- month in which it ends.
with events as (
    select
        substr(siret, 1, 9) as siren,
        debit_id,
        cast(date_trunc('month', known_from_debit(date_traitement) - $shift) as date) as month,
        -- Amounts are whole cents: sums of integers are exact and do not depend on the order of rows.
        cast(round(part_ouvriere * 100) as bigint) as part_ouvriere,
        cast(round(part_patronale * 100) as bigint) as part_patronale
    from stg_debit
    where date_trunc('month', known_from_debit(date_traitement) - $shift) <= $last::date
    qualify row_number() over (
        partition by siret, debit_id, date_trunc('month', known_from_debit(date_traitement) - $shift)
        order by
            numero_historique_ecart_negatif desc nulls first, date_traitement desc, part_ouvriere + part_patronale desc,
            part_ouvriere desc
    ) = 1
),

changes as (
    select
        siren,
        -- Changes before the first month needed are added up in it, as an opening balance.
        greatest(month, cast($first::date - interval 23 month as date)) as month,
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
            date_trunc('month', known_from_cotisation(periode_fin) - $shift) as date
        ) as month,
        -- A sum of decimals does not depend on the order of rows; a sum of floating numbers does.
        cast(du as decimal(30, 4)) as du,
        greatest(date_diff('month', periode_debut, periode_fin), 1) as covered,
        cast(du / covered as decimal(30, 4)) as monthly
    from stg_cotisation
    where du is not null
),

plans as (
    select
        substr(siret, 1, 9) as siren,
        cast(date_trunc('month', known_from_delai(date_creation) - $shift) as date) as asked,
        -- A plan recorded after its end is known from the day of its record.
        cast(date_trunc('month', greatest(known_from_delai(date_creation), date_echeance) - $shift) as date) as ended
    from clean_delai
),

flows as (
    select
        siren,
        month,
        sum(ouvriere) as ouvriere,
        sum(patronale) as patronale,
        null as du,
        null as monthly,
        null as first_covered,
        null as asked,
        null as ended
    from changes
    group by all
    union all
    -- Contributions booked before the first month needed only tell since when the company contributes.
    select
        siren,
        greatest(month, cast($first::date - interval 23 month as date)),
        null,
        null,
        sum(du) filter (month >= cast($first::date - interval 23 month as date)),
        sum(monthly) filter (month >= cast($first::date - interval 23 month as date)),
        min(cast(month - to_months(covered - 1) as date)),
        null,
        null
    from booked
    where month <= $last::date
    group by all
    union all
    select siren, asked, null, null, null, null, null, count(asked), null
    from plans
    where asked between cast($first::date - interval 23 month as date) and $last::date
    group by all
    union all
    select siren, ended, null, null, null, null, null, null, count(ended)
    from plans
    where ended between cast($first::date - interval 23 month as date) and $last::date
    group by all
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
        sum(flows.monthly) as monthly,
        min(flows.first_covered) as first_covered,
        cast(sum(flows.asked) as bigint) as asked,
        cast(sum(flows.ended) as bigint) as ended
    from panel
    left join flows using (siren, month)
    group by all
),

stock as (
    select
        siren,
        month,
        cast(sum(ouvriere) over past as bigint) as ouvriere,
        cast(sum(patronale) over past as bigint) as patronale,
        cast(sum(greatest(ouvriere + patronale, 0)) over year as double) / 100 as dette_nouvelle_12m,
        cast(last_value(monthly ignore nulls) over year as double) as cotisation,
        -- The mean is over the months covered since the first contribution known, twelve at most.
        date_diff('month', min(first_covered) over past, month) + 1 as covered,
        cast(sum(du) over quarter as double) / nullif(least(covered, 3), 0) as cotisation_mean3m,
        cast(sum(du) over half as double) / nullif(least(covered, 6), 0) as cotisation_mean6m,
        cast(sum(du) over year as double) / nullif(least(covered, 12), 0) as cotisation_mean12m,
        monthly is not null as contributes,
        asked,
        ended
    from monthly
    window
        past as (partition by siren order by month),
        quarter as (partition by siren order by month rows 2 preceding),
        half as (partition by siren order by month rows 5 preceding),
        year as (partition by siren order by month rows 11 preceding)
),

lagged as (
    select
        month,
        siren,
        cotisation,
        cotisation_mean3m,
        cotisation_mean6m,
        cotisation_mean12m,
        lag(cotisation_mean12m, 6) over w as cotisation_mean12m_lag6m,
        cast(ouvriere as double) / 100 as dette_sociale_ouvriere,
        cast(lag(ouvriere, 1) over w as double) / 100 as dette_sociale_ouvriere_lag1m,
        cast(lag(ouvriere, 2) over w as double) / 100 as dette_sociale_ouvriere_lag2m,
        cast(lag(ouvriere, 3) over w as double) / 100 as dette_sociale_ouvriere_lag3m,
        cast(lag(ouvriere, 6) over w as double) / 100 as dette_sociale_ouvriere_lag6m,
        cast(lag(ouvriere, 12) over w as double) / 100 as dette_sociale_ouvriere_lag12m,
        cast(sum(ouvriere) over quarter as double) / 300 as dette_sociale_ouvriere_mean3m,
        cast(sum(ouvriere) over half as double) / 600 as dette_sociale_ouvriere_mean6m,
        cast(sum(ouvriere) over year as double) / 1200 as dette_sociale_ouvriere_mean12m,
        cast(patronale as double) / 100 as dette_sociale_patronale,
        cast(lag(patronale, 1) over w as double) / 100 as dette_sociale_patronale_lag1m,
        cast(lag(patronale, 2) over w as double) / 100 as dette_sociale_patronale_lag2m,
        cast(lag(patronale, 3) over w as double) / 100 as dette_sociale_patronale_lag3m,
        cast(lag(patronale, 6) over w as double) / 100 as dette_sociale_patronale_lag6m,
        cast(lag(patronale, 12) over w as double) / 100 as dette_sociale_patronale_lag12m,
        cast(sum(patronale) over quarter as double) / 300 as dette_sociale_patronale_mean3m,
        cast(sum(patronale) over half as double) / 600 as dette_sociale_patronale_mean6m,
        cast(sum(patronale) over year as double) / 1200 as dette_sociale_patronale_mean12m,
        dette_nouvelle_12m,
        count(*) filter (ouvriere + patronale > 0) over year as mois_en_dette_12m,
        count(*) filter (ouvriere + patronale > 0) over years as mois_en_dette_24m,
        coalesce(sum(asked) over years, 0)::bigint as delais_demandes_24m,
        coalesce(sum(ended) filter (ouvriere + patronale <= 0) over years, 0)::bigint as delais_respectes_24m,
        coalesce(sum(ended) filter (ouvriere + patronale > 0) over years, 0)::bigint as delais_rompus_24m
    from stock
    window
        w as (partition by siren order by month),
        quarter as (partition by siren order by month rows 2 preceding),
        half as (partition by siren order by month rows 5 preceding),
        year as (partition by siren order by month rows 11 preceding),
        years as (partition by siren order by month rows 23 preceding)
    qualify
        -- The panel holds companies of the whole range: a month keeps those of its own twenty-four months.
        bool_or(contributes or ouvriere <> 0 or patronale <> 0 or asked > 0 or ended > 0) over years
)

select *
from lagged
where month between $first::date and $last::date
