-- One row is one company of one announcement. An announcement about several companies of the perimeter has one row for each. An
-- announcement about none of them, or of another family, has a single row without company and judgment: it is stored because it
-- may correct or cancel an earlier announcement, whatever company it names. `id_avis_precedent` identifies that announcement in
-- the form of `id_annonce`: letter of the bulletin, number of the issue, number in the issue.
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
