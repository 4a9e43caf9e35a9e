-- One row is one company of the import perimeter: at least $minimum people in one of the last $perimeter_months months of the
-- head-count file; with $recent, one of the last three months must also be filled. Source: rules §5.2.
select siren
from headcount_rules
where is_staffed and (is_recent or not $recent)
