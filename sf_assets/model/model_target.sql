-- One row is one company and past month whose horizon has passed: whether a procedure opened within the horizon, and whether the
-- company was already in a procedure at the cut-off. The horizon counts whole months: twelve months after a cut-off in March 2024
-- end with March 2025. A company that left a procedure can fail again (deviations B17 and B18).
with months as (
    select
        cast(month as date) as periode,
        cast(last_day(cast(month as date)) + $shift as date) as cutoff,
        cast(last_day(cast(month + to_months($horizon_months) as date)) + $shift as date) as horizon
    from generate_series($first::date, $last::date, interval 1 month) as s (month)
),

followed as (
    select c.siren, months.*
    from feat_company_month as c
    join months on c.month = months.periode
)

select
    f.siren,
    f.periode,
    coalesce(bool_or(p.date_debut > f.cutoff and p.date_debut <= f.horizon), false) as target,
    coalesce(bool_or(p.date_debut <= f.cutoff and (p.date_fin is null or p.date_fin > f.cutoff)), false) as en_procedure
from followed as f
left join clean_procedure_episode as p on f.siren = p.siren and p.libelle_procol is not null
group by f.siren, f.periode
