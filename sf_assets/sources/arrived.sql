-- One row of the log of imports is one file on arrival, from the view `arrived`: new rows of `src_arrivals`.
select
    source,
    file,
    fault is not null as is_fatal,
    'Fatal: ' || fault as head_fatal,
    null::varchar as head_rejected,
    nothing as lines_parsed,
    nothing as lines_rejected,
    nothing as lines_skipped,
    nothing as lines_valid,
    file || ': intégration terminée, 0 lignes traitées, 1 erreurs fatales, 0 lignes rejetées, 0 lignes filtrées, '
    || case when fault is not null then '0 lignes valides' end as summary
from (select *, case when fault is not null then 0::bigint end as nothing from arrived) as files
