-- One row is the payment behaviour of one company in one month: the latest measure of the month (sources.md §9.2, decision
-- B15). A value this measure lacks is unknown, even when an earlier one had it.
select
    siren,
    cast(date_trunc('month', date_valeur) as date) as periode,
    date_valeur,
    paydex,
    fpi_30,
    fpi_90,
    encours_etudies,
    n_fournisseurs
from clean_paydex_mesure
qualify row_number() over (partition by siren, date_trunc('month', date_valeur) order by date_valeur desc) = 1
