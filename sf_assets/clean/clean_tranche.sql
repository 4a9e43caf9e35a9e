-- One row is one company and year with its staff band, as the least number of people in it, and the day it is known
-- from: a delay after the end of its year, or the cut-off of the first batch that delivered it when that is earlier.
-- Bands of earlier batches stay: the register only has the newest one of a unit, and none once it no longer employs. Of
-- several bands of a year, the one known first counts, and the largest of these. A year after the batch is a typing
-- error, and its row is left out.
select
    siren,
    annee_effectif,
    effectif_minimum,
    connue_le
from ({known_bands}) as connues
where siren in (select siren from clean_filter)
qualify row_number() over (partition by siren, annee_effectif order by connue_le, effectif_minimum desc) = 1
