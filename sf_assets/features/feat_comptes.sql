-- One row is one company and month: the ratios of the newest statement known at the cut-off, closed less than two years
-- before it. All come from that one statement.
with months as (
    select
        cast(month as date) as month,
        cast(last_day(cast(month as date)) + $shift as date) as cutoff
    from generate_series($first::date, $last::date, interval 1 month) as s (month)
),

newest as (
    select months.month, months.cutoff, r.siren, max(r.date_fin_exercice) as date_fin_exercice
    from months
    join clean_ratios as r
        on r.date_publication <= months.cutoff
        and r.date_fin_exercice > months.cutoff - interval 24 month
        and r.date_fin_exercice <= months.cutoff
    group by all
)

select
    newest.month,
    newest.siren,
    r.dette_nette_sur_caf,
    r.dette_a_terme_sur_k_propres,
    r.ebe_sur_ca,
    r.va_sur_effectif,
    r.charges_personnel_sur_va,
    r.stocks_sur_ca,
    r.liquidite_absolue,
    r.liquidite_generale,
    r.liquidite_reduite,
    r.delai_paiement_sur_delai_encaissement,
    r.k_propres_sur_k_social,
    r.bfr_sur_k_propres,
    r.taux_investissement,
    r.rentabilite_economique,
    r.solidite_financiere,
    date_diff('day', newest.date_fin_exercice, newest.cutoff) / 30.4375 as age_comptes
from newest
join clean_ratios as r using (siren, date_fin_exercice)
