-- One row is one stretch of time during which an establishment stays open or stays closed: its first period, and the
-- periods that change its state (rules §6.9). A stretch ends the day before the next one; the delivered end is that of
-- a period, which a change of name or activity also ends.
with periodes as (
    select
        siret,
        date_debut,
        date_fin,
        est_actif,
        changement_statut_actif,
        rank() over (partition by siret order by date_debut nulls last) as rang
    from stg_sirene_histo
    where left(siret, 9) not in (select siren from siren_blacklist)
)

select
    siret,
    date_debut,
    lead(date_debut) over (
        partition by siret
        order by date_debut nulls last, date_fin nulls last, est_actif
    ) - 1 as date_fin,
    est_actif
from periodes
where rang = 1 or changement_statut_actif
