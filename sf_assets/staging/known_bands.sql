-- One row is one staff band of a company and year, of the batch or of the newest earlier one, with the day it is known from.
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
