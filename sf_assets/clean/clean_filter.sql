-- One row is one company followed by the service: the import perimeter minus the blacklist (rules §5.5).
select siren
from stg_filter_import
where siren not in (select siren from siren_blacklist)
