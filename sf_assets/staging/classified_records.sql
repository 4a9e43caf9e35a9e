-- One row is one record with its values and disposition. Other cells are tested before the key, and the perimeter last
-- (rules §2.4).
with texts as (select line, raw, fields, fault, {plain} {texts} from {records}),

valued as (select texts.*, {read} from texts {joins})

select
    *,  -- noqa: AM04
    case
        when fault is null and ({skip}) then 'filtered'
        {trailer}
        when fault is not null or {errors} then 'quarantined'
        when {outside} and not ({exempt}) then 'filtered'
        else 'accepted'
    end as disposition
from {placed}
