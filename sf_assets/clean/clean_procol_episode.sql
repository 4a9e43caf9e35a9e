-- One row is one stretch of time during which a company is in one kind of procedure, end excluded. The rules are those
-- of the state at a date (sources.md §6.6.2, decisions B10 and B11), turned into intervals so that the state of any day
-- is a comparison: per kind, each event lasts until the next one; a closing stage is no procedure; a plan ends after
-- ten years.
with latest as (
    select *
    from clean_procol
    where libelle_procol is not null or stade_procol = 'inclusion_autre_procedure'
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
            stade_procol
    ) = 1
),

stretches as (
    select
        siren,
        action_procol,
        stade_procol,
        libelle_procol,
        date_effet as date_debut,
        lead(date_effet) over (partition by siren, action_procol order by date_effet) as suivant
    from latest
)

select
    siren,
    action_procol,
    libelle_procol,
    date_debut,
    case
        when stade_procol = 'plan_continuation'
            then least(coalesce(suivant, cast(date_debut + interval 10 year as date)), cast(date_debut + interval 10 year as date))
        else suivant
    end as date_fin
from stretches
where stade_procol is null or stade_procol not in ('fin_procedure', 'inclusion_autre_procedure')
