-- One row is one company on the list handed over for the month before $month, and not on version $version of this month's list:
-- its name and its level then. When the list of the month before has several versions, the last one handed over counts.
with handed_over as (
    select arg_max(list_version, version) as version
    from list_export
    where month = $month - interval 1 month
)

select
    a.siren,
    a.raison_sociale,
    a.niveau as niveau_precedent
from list_alerts as a
join handed_over as h on a.version = h.version
anti join (select siren from list_alerts where month = $month and version = $version) as now on a.siren = now.siren
where a.month = $month - interval 1 month
order by a.niveau desc, a.raison_sociale, a.siren
