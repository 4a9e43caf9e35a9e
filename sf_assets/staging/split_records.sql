-- Numbered records of text fields, from the lines of a file.
select
    line,
    raw,
    fields,
    case
        when fault is not null then fault
        when len(fields) <> getvariable('width')
            then format('expected {} fields, found {}', getvariable('width'), len(fields))
    end as fault
from (
    select line, raw, {cut} as fields, null::varchar as fault from lines {restricted} where raw is not null
    {others}
) as cut_records
