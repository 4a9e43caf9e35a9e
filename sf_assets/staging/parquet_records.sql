-- Numbered records of text fields, from the rows of a Parquet file; `raw` is the record as a line of a delimited file. Each
-- field has a column of its own too, and so has its value as stored: what a query does not name is not computed.
select
    line,
    array_to_string(
        list_transform(
            [{texts}],
            lambda f: case
                when contains(f, '"') or contains(f, chr(10)) or contains(f, getvariable('separator'))
                    then concat('"', replace(f, '"', '""'), '"')
                else f
            end
        ),
        getvariable('separator')
    ) as raw,
    [{texts}] as fields,
    null::varchar as fault,
    {texts},
    {stored}
from (
    select file_row_number + 1 as line, {read}, {values}
    from read_parquet(getvariable('path'), file_row_number = true)
) as numbered
{restricted}
