-- One row is one company with a staff band, with the two rules of the perimeter: `is_staffed`, a band of at least $minimum
-- people, known within the last $perimeter_months months; `is_recent`, a band of the newest year or the one before it.
with bands as ({known_bands})

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
