-- The files of an explicit perimeter in a month, and its records: accepted, and refused and not corrected.
select
    count(*), count(*) filter (not contains(file, $corrections)), coalesce(sum(accepted), 0)::bigint,
    coalesce(sum(quarantined - coalesce(corrected, 0)), 0)::bigint
from lake.stg_import where month = $month and source = $source
