-- One row is the newest answer of one recipient about one company of one published list, among the answers received until the
-- month. Free texts (help offered, remark) stay in stg_retour.
select
    siren,
    strptime('20' || liste || '01', '%Y%m%d')::date as mois_liste,
    destinataire,
    coalesce(contactee, if(contactee_le is null, null, true)) as contactee,
    contactee_le,
    utilite,
    coalesce(aide, '') <> '' as aide_proposee,
    month as recue
from stg_retour
qualify row_number() over (
    partition by siren, liste, destinataire order by month desc, file_number desc, line desc
) = 1
