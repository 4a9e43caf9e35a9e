-- The smallest month of the last two years, as a share of the median month.
with counted as (select {period} as periode, {total} as n from {batch} group by all),
spine as (
    select cast(unnest(generate_series(
        greatest(max(periode) - interval 24 month, min(periode) + interval 3 month), max(periode) - interval 1 month,
        interval 1 month
    )) as date) as periode
    from counted where periode <= {month}
)
select case when count(*) > 0 then coalesce(min(coalesce(n, 0)) / nullif(median(coalesce(n, 0)), 0), 0) end
from spine left join counted using (periode)
