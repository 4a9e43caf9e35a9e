-- Records that are no longer accepted: added to their new disposition, subtracted from the accepted ones.
select
    file, case when is_copy then 'filtered' else 'quarantined' end as disposition, count(*) as records,
    count(*) filter (is_copy) as copies
from repeated group by all
union all
select file, 'accepted', -count(*), 0 from repeated group by all
