-- One row is one stretch of time during which a company is in one kind of procedure, end excluded (rules §6.6.2,
-- deviations B10 and B11). Stored as intervals, the state on any day is a comparison of dates. For each kind, an event
-- lasts until the next one; a closing stage is no procedure; a plan ends after ten years.
with etapes as (
    -- Of two stages reached on the same day, the later in the course of a procedure counts.
    select *
    from clean_procol
    qualify row_number() over (
        partition by siren, action_procol, date_effet
        order by
            case stade_procol
                when 'fin_procedure' then 1
                when 'inclusion_autre_procedure' then 2
                when 'plan_continuation' then 3
                when 'ouverture' then 5
                else 4
            end,
            stade_procol nulls last
    ) = 1
),

successions as (
    select
        *,
        lead(date_effet) over (partition by siren, action_procol order by date_effet) as date_suivante,
        case when stade_procol = 'plan_continuation' then cast(date_effet + interval 10 year as date) end as date_terme
    from etapes
)

select
    siren,
    action_procol,
    stade_procol,
    libelle_procol,
    date_effet as date_debut,
    -- `least` ignores NULL: an unknown end.
    least(date_suivante, date_terme) as date_fin
from successions
where stade_procol is null or stade_procol not in ('fin_procedure', 'inclusion_autre_procedure')
