-- The values of checks in the months that passed, or that an operator accepted: others are no reference.
select v.check_name, v.month, value, not passed as accepted
from check_verdicts as v
left join check_acceptances as a
    on v.month = a.month and v.asset = a.asset and v.check_name = a.check_name
    and v.snapshot is not distinct from a.snapshot
where
    v.asset = $asset and v.check_name in (select unnest($checks)) and not errored
    and v.month >= $first and v.month < $last
    and (passed or a.month is not null)
order by v.month
