-- Numbered records of text fields, from the rows of a Parquet file; `raw` is the record as a line of a delimited file.
select
    line,
    array_to_string(
        list_transform(
            fields,
            lambda f: case
                when contains(f, '"') or contains(f, chr(10)) or contains(f, getvariable('separator'))
                    then concat('"', replace(f, '"', '""'), '"')
                else f
            end
        ),
        getvariable('separator')
    ) as raw,
    fields,
    null::varchar as fault
from (
    select file_row_number + 1 as line, [{texts}] as fields
    from read_parquet(getvariable('path'), file_row_number = true)
) as numbered
{restricted}
