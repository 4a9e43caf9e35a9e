-- One row is one company of one announcement. An announcement that names several companies of the perimeter has a row for
-- each; one that names none of them, or belongs to another family, has a single row without company nor judgment, kept for the
-- announcement it is about: a cancellation acts whoever it names itself. The announcement that a correction is about is named
-- as `id_annonce` would be: letter of the bulletin, number of the issue, number in the issue.
with named as (
    select distinct id_annonce, siren
    from (
        select id_annonce, unnest(string_split(concat_ws(',', siren, siren_metiers), ',')) as siren
        from cells
        where famille_avis = 'collective'
    ) as companies
    where siren in (select siren from perimeter)
)

select
    named.siren,
    cells.id_annonce,
    cells.type_avis,
    cells.date_parution,
    upper(right(trim(cells.publication_precedente), 1)) || trim(cells.parution_precedente)
    || ltrim(trim(cells.numero_precedent), '0') as id_avis_precedent,
    cells.famille_jugement,
    case when named.siren is not null then cells.nature_jugement end as nature_jugement,
    case when named.siren is not null then cells.complement_jugement end as complement_jugement,
    case when named.siren is not null then cells.date_jugement end as date_jugement,
    case when named.siren is not null then cells.tribunal end as tribunal
from cells
left join named on cells.id_annonce = named.id_annonce
