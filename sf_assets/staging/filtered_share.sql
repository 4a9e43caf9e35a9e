-- The share of records filtered for a reason, NULL below fifty records or with an explicit perimeter.
select case when sum(records) >= 50 then sum({reason}) / sum(records) end
from lake.stg_import
where
    month = {month} and source = '{source}'
    and not exists (select 1 from lake.stg_import where month = {month} and source = 'filter' and accepted > 0)
