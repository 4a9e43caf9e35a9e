-- The verdicts on some assets and months.
select asset, month, check_name, severity, passed, errored, unexpected_count, element_count, error, value, statement, snapshot
from check_verdicts
where {months} and (asset, month) in (select unnest($assets), unnest($months))
