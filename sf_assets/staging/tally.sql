-- The records of a source in a month: all, accepted, and those of no outcome or of several.
select
    coalesce(sum(records), 0)::bigint, coalesce(sum(accepted), 0)::bigint,
    coalesce(sum(abs(records - accepted - filtered - quarantined)), 0)::bigint
from lake.stg_import where month = $month and source = $source
