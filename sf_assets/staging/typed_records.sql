-- One row is one record with its typed values and its disposition.
with classified as ({classified})

select
    getvariable('file') as file,
    line,
    {columns},
    {headcounts}
    {raw}
    disposition,
    disposition = 'quarantined' or (disposition = 'accepted' and ({doubtful})) as is_reported,
    {outside} as is_outside
from classified
