-- One row is one company that belongs to a group: the head of the group, the level at which the company is held and the
-- share held (rules §9.3). Of several lines of ownership, the row describes the one that holds most, then the shortest.
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
