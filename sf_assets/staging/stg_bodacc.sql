-- One row is one company of one announcement. An announcement that names several companies of the perimeter has a row for
-- each. The announcement that a correction is about is named as `id_annonce` would be: letter of the bulletin, number of
-- the issue, number in the issue.
select
    siren,
    id_annonce,
    type_avis,
    date_parution,
    right(trim(publication_precedente), 1) || parution_precedente || ltrim(numero_precedent, '0') as id_avis_precedent,
    famille_jugement,
    nature_jugement,
    complement_jugement,
    date_jugement,
    tribunal
from (select unnest(string_split(siren, ',')) as siren, * exclude (siren) from cells) as named
where siren in (select siren from perimeter)
