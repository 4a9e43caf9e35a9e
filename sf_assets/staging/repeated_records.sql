-- Accepted records whose key a later record has, and whether they are exact copies of it.
-- noqa: disable=PRS,AL05
create or replace temp table repeated as
select file, line, raw, row({cells}) is not distinct from first_value(row({cells})) over latest as is_copy
from typed
where disposition = 'accepted'
window latest as (partition by {key} order by list_position($names, file) desc, line desc)
qualify row_number() over latest > 1
