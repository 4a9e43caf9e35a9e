-- One row is one company in a collective procedure on the first day of one month, from 2016 to the month of the
-- reference date; a company without a row is in no procedure (in bonis: rules §6.6.3, deviation B9). Of several
-- procedures on a day, the most serious is taken: liquidation, redressement, sauvegarde.
with mois as (
    select
        siren,
        -- First days of months within [date_debut, date_fin).
        cast(unnest(generate_series(
            greatest(timestamp '2016-01-01', date_trunc('month', date_debut - 1) + interval 1 month),
            least(date_trunc('month', cast($reference_date as date)), date_trunc('month', date_fin - 1)),
            interval 1 month
        )) as date) as periode,
        date_debut as date_effet,
        action_procol,
        stade_procol,
        libelle_procol
    from clean_procol_episode
)

select
    siren,
    periode,
    date_effet,
    action_procol,
    stade_procol,
    libelle_procol
from mois
qualify row_number() over (
    partition by siren, periode
    order by
        case action_procol when 'liquidation' then 1 when 'redressement' then 2 when 'sauvegarde' then 3 else 4 end,
        date_effet desc,
        action_procol nulls last
) = 1
