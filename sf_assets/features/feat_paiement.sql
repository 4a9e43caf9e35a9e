-- One row is one company and month: the last payment behaviour known at the cut-off and measured within a year, its
-- changes over twelve months, and the mean of the delays that became known in these twelve months.
with known as (
    -- Of several measures that become known in one month, the latest counts.
    select
        siren,
        cast(date_trunc('month', known_from_paydex(date_valeur) - $shift) as date) as month,
        paydex,
        fpi_30,
        fpi_90
    from clean_paydex_mesure
    where
        date_trunc('month', known_from_paydex(date_valeur) - $shift)
        between $first::date - interval 23 month and $last::date
    qualify row_number() over (
        partition by siren, date_trunc('month', known_from_paydex(date_valeur) - $shift) order by date_valeur desc
    ) = 1
),

panel as (
    select c.siren, cast(s.month as date) as month
    from (select distinct siren from known) as c,
        generate_series(cast($first::date - interval 23 month as date), $last::date, interval 1 month) as s (month)
),

filled as (
    select
        siren,
        month,
        last_value(known.paydex ignore nulls) over year as paydex,
        last_value(known.fpi_30 ignore nulls) over year as fpi_30,
        last_value(known.fpi_90 ignore nulls) over year as fpi_90,
        -- A sum of decimals does not depend on the order of rows; a sum of floating numbers does.
        cast(sum(cast(known.paydex as decimal(18, 4))) over year as double) / count(known.paydex) over year
            as paydex_mean12m
    from panel
    left join known using (siren, month)
    window year as (partition by siren order by month rows 11 preceding)
),

lagged as (
    select
        *,
        paydex - lag(paydex, 12) over w as paydex_diff12m,
        fpi_30 - lag(fpi_30, 12) over w as fpi_30_diff12m,
        fpi_90 - lag(fpi_90, 12) over w as fpi_90_diff12m
    from filled
    window w as (partition by siren order by month)
)

select
    month,
    siren,
    paydex,
    paydex_diff12m,
    paydex_mean12m,
    fpi_30,
    fpi_30_diff12m,
    fpi_90,
    fpi_90_diff12m
from lagged
where month between $first::date and $last::date and (paydex is not null or fpi_30 is not null or fpi_90 is not null)
