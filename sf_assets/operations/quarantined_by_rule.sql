-- Quarantined records and cells of a month, by source and rule.
select source, level, "column", expected, count(*) as refused, count(corrected_by) as corrected
from stg_quarantine
where month = $month and source = coalesce($source, source)
group by all
order by source, refused desc, "column"
