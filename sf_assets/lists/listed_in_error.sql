-- The number of companies of the list that no list may hold, and that of all of them.
with listed as ({listed})

select
    count(*) filter (
        f.siren is null or c.siren is null or c.procedure_connue is not null or b.siren is not null
    ),
    count(listed.siren)
from listed
left join (select siren from lake.clean_filter where month = $month) as f using (siren)
left join (select siren, procedure_connue from lake.feat_company_month where month = $month) as c using (siren)
left join (select siren from lake.siren_blacklist where month = $month) as b using (siren)
