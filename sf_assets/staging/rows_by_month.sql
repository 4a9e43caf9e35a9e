-- One row per identifier and month, from the accepted records of one head-count file.
select {key}, periode, {value}
from (
    select {key}, unnest(getvariable('months_{number}')) as periode, unnest({value}) as {value}
    from typed
    where disposition = 'accepted' and file = getvariable('files')[{number} + 1]
) as months
where {value} is not null and periode is not null
