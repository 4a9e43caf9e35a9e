-- One row is one company that belongs to a group: who heads it, at what level and with what share (rules §9.3). A
-- company held along several lines is shown along the one that holds most, then the shortest.
select
    siren,
    siren_groupe,
    raison_sociale_groupe,
    adresse_groupe,
    niveau_detention,
    part_financiere
from stg_ellisphere
where siren not in (select siren from siren_blacklist)
qualify row_number() over (
    partition by siren
    order by part_financiere desc nulls last, niveau_detention nulls last, siren_groupe, refid_groupe, code_groupe
) = 1
