-- One row is one file that was read and the number of its records by outcome, from the counts and the quarantine of its
-- source. The summary has the form of rules §2.5; line numbers include the header, as in a text editor.
with messages as (
    select
        file,
        line,
        concat(
            'Line ', line, ': ', "column" || ': expected ', replace(expected, chr(10), ' '),
            ', found ' || replace(found, chr(10), ' ')
        ) as message
    from quarantine
    qualify row_number() over (partition by file order by line, "column") <= 200
),

heads as (
    select file, string_agg(message, chr(10) order by line, message) as head_rejected
    from messages
    group by file
)

select
    counted.file,
    false as is_fatal,
    null as head_fatal,
    heads.head_rejected,
    counted.records as lines_parsed,
    counted.quarantined as lines_rejected,
    counted.filtered as lines_skipped,
    counted.accepted as lines_valid,
    concat(
        counted.file, ': intégration terminée, ', counted.records, ' lignes traitées, 0 erreurs fatales, ',
        counted.quarantined, ' lignes rejetées, ', counted.filtered, ' lignes filtrées, ', counted.accepted,
        ' lignes valides'
    ) as summary
from counted
left join heads using (file)
