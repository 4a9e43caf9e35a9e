-- The values of a check in the months before that passed or were accepted.
select v.month, value, not passed as accepted
from check_verdicts as v
left join check_acceptances as a
    on v.month = a.month and v.asset = a.asset and v.check_name = a.check_name
    and v.snapshot is not distinct from a.snapshot
where
    v.asset = $asset and v.check_name = $check and not errored
    and v.month >= $month::date - to_months($span) and v.month < $month
    and (passed or a.month is not null)
order by v.month
