-- One row is one closing date of a company with the fifteen ratios of its most complete statement, as known at the end: the
-- last version of clean_ratios_version (sources.md §9.6). It is known from its deposit, or a delay after closing.
select * exclude (date_remplacement)
from clean_ratios_version
where date_remplacement is null
