-- One row is one establishment of a URSSAF account, until the day it closed or moved. A later file replaces the whole list
-- of each account it mentions; without an end, the end is that of "never" in URSSAF's dates (rules §9.1).
select
    compte,
    siret,
    date_creation,
    coalesce(date_disparition, date '2899-01-01') as date_disparition
from cells
qualify file_number = max(file_number) over (partition by compte)
