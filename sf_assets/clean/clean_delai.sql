-- One row is one payment plan granted to an establishment, as delivered (rules §6.4).
select
    siret,
    date_creation,
    date_echeance,
    duree_delai,
    montant_echeancier,
    stade,
    action
from stg_delai
where left(siret, 9) not in (select siren from siren_blacklist)
