-- One row is the payment behaviour of one company in one month: the latest measure of the month (rules §9.2, decision
-- B15). A value that this measure lacks is unknown, even when an earlier measure of the month had it.
with derniers as (
    select siren, date_trunc('month', date_valeur) as mois, max(date_valeur) as date_valeur
    from clean_paydex_mesure
    group by siren, mois
)

select
    siren,
    cast(derniers.mois as date) as periode,
    date_valeur,
    mesures.paydex,
    mesures.fpi_30,
    mesures.fpi_90,
    mesures.encours_etudies,
    mesures.n_fournisseurs
from derniers
join clean_paydex_mesure as mesures using (siren, date_valeur)
