-- One row is one error of a record: a wrong cell, or a malformed record.
with classified as ({classified}),

reasons_by_record as (
    select
        line,
        raw,
        disposition,
        case
            when disposition = 'accepted' then {notes}
            when fault is not null then {malformed}
            else {errors}
        end as reasons
    from classified
    where disposition <> 'filtered'
)

select
    getvariable('file') as file,
    line,
    case disposition when 'accepted' then 'cell' else 'record' end as level,
    reason.column as "column",
    reason.expected,
    reason.found,
    raw
from (select line, disposition, raw, unnest(reasons) as reason from reasons_by_record) as reported
