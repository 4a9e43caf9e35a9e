-- One row is one establishment of a URSSAF account, until the day on which it closed or moved. A later file replaces all rows of
-- each account that it contains. A missing end becomes 2899-01-01, the date for "never" in URSSAF's files (rules §9.1).
select
    compte,
    siret,
    date_creation,
    coalesce(date_disparition, date '2899-01-01') as date_disparition
from cells
qualify file_number = max(file_number) over (partition by compte)
