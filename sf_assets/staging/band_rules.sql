-- One row is one company with a staff band, with the two rules of the perimeter: `is_staffed`, a band of at least $minimum
-- people, known within the last $perimeter_months months; `is_recent`, a band of the newest year or the one before it.
with bands as (
    select
        siren,
        annee_effectif,
        effectif_minimum,
        least(known_from_sirene_tranche(annee_effectif), cast($reference_date as date)) as connue_le
    from stg_sirene_tranche
    where annee_effectif < year(cast($reference_date as date))
    union all
    select
        siren,
        annee_effectif,
        effectif_minimum,
        connue_le
    from clean_tranche
)

select
    siren,
    coalesce(
        bool_or(
            effectif_minimum >= $minimum
            and connue_le > cast($reference_date as date) - to_months($perimeter_months)
        ),
        false
    ) as is_staffed,
    max(annee_effectif) >= (select max(annee_effectif) from bands) - 1 as is_recent
from bands
group by siren
