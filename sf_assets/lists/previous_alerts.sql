-- One row is one company that was on a list handed over before $month: the month of its first alert, and its level on last
-- month's list, 0 when it was absent from it. When a month's list has several versions, the last one handed over counts.
with handed_over as (
    select month, arg_max(list_version, version) as version
    from list_export
    where month < $month
    group by month
),

listed as (
    select a.month, a.siren, a.niveau
    from list_alerts as a
    join handed_over using (month, version)
)

select
    siren,
    min(month) as premiere_alerte,
    coalesce(max(niveau) filter (where month = $month - interval 1 month), 0) as niveau_precedent
from listed
group by siren
