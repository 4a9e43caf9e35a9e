-- One row is the list handed over for the month before $month: its method, its thresholds, its number of companies, and how many
-- of these are no longer on version $version of this month's list. When the list has several versions, the last one handed over
-- counts.
with handed_over as (
    select max(version) as version, arg_max(list_version, version) as list_version
    from list_export
    where month = cast($month - interval 1 month as date)
    having count(*) > 0
),

listed as (
    select a.siren
    from list_alerts as a
    join handed_over as h on a.version = h.list_version
    where a.month = cast($month - interval 1 month as date)
),

companies_gone as (
    select count(*) as companies
    from listed
    anti join (select siren from list_alerts where month = $month and version = $version) as now using (siren)
)

select v.methode, v.seuil_modere, v.seuil_fort, v.companies, v.forts, companies_gone.companies as sorties
from list_versions as v
join handed_over as h on v.version = h.list_version
cross join companies_gone
where v.month = cast($month - interval 1 month as date)
