-- One row is one company of the perimeter and month, with the features that the configuration of 100 adds to the
-- matrix: means over the months before, and quantities one, two and three years before, each as known at the cut-off of
-- its own month (rules §10.4). Lags that are in the matrix are not repeated. A lag is unknown when its month was never
-- computed, or when the company had no known head-count then. Past months are read as they were computed.
with past as (
    select
        e.month,
        e.siren,
        p.paydex,
        d.cotisation,
        coalesce(d.dette_sociale_ouvriere, 0) as dette_sociale_ouvriere,
        coalesce(d.dette_sociale_patronale, 0) as dette_sociale_patronale,
        coalesce(a.ap_heures_consommees, 0) as ap_heures_consommees,
        (coalesce(d.dette_sociale_ouvriere, 0) + coalesce(d.dette_sociale_patronale, 0)) / nullif(e.effectif, 0)
            as dette_par_effectif,
        e.effectif::double as effectif,
        f.dette_nette_sur_caf,
        f.dette_a_terme_sur_k_propres,
        f.ebe_sur_ca,
        f.va_sur_effectif,
        f.charges_personnel_sur_va,
        f.stocks_sur_ca,
        f.liquidite_absolue,
        f.liquidite_generale,
        f.liquidite_reduite,
        f.delai_paiement_sur_delai_encaissement,
        f.k_propres_sur_k_social,
        f.bfr_sur_k_propres,
        f.taux_investissement,
        f.rentabilite_economique,
        f.solidite_financiere
    from feat_effectif as e
    left join feat_dette as d using (month, siren)
    left join feat_activite_partielle as a using (month, siren)
    left join feat_paiement as p using (month, siren)
    left join feat_comptes as f using (month, siren)
)

select
    c.month,
    c.siren,
    d.cotisation_mean3m,
    d.cotisation_mean6m,
    coalesce(d.dette_sociale_ouvriere_mean3m, 0) as dette_sociale_ouvriere_mean3m,
    coalesce(d.dette_sociale_ouvriere_mean6m, 0) as dette_sociale_ouvriere_mean6m,
    coalesce(d.dette_sociale_ouvriere_mean12m, 0) as dette_sociale_ouvriere_mean12m,
    coalesce(d.dette_sociale_patronale_mean3m, 0) as dette_sociale_patronale_mean3m,
    coalesce(d.dette_sociale_patronale_mean6m, 0) as dette_sociale_patronale_mean6m,
    coalesce(d.dette_sociale_patronale_mean12m, 0) as dette_sociale_patronale_mean12m,
    lag12.paydex as paydex_lag12m,
    lag24.paydex as paydex_lag24m,
    lag36.paydex as paydex_lag36m,
    lag12.cotisation as cotisation_lag12m,
    lag24.cotisation as cotisation_lag24m,
    lag36.cotisation as cotisation_lag36m,
    lag24.dette_sociale_ouvriere as dette_sociale_ouvriere_lag24m,
    lag36.dette_sociale_ouvriere as dette_sociale_ouvriere_lag36m,
    lag24.dette_sociale_patronale as dette_sociale_patronale_lag24m,
    lag36.dette_sociale_patronale as dette_sociale_patronale_lag36m,
    lag12.ap_heures_consommees as ap_heures_consommees_lag12m,
    lag24.ap_heures_consommees as ap_heures_consommees_lag24m,
    lag36.ap_heures_consommees as ap_heures_consommees_lag36m,
    lag12.dette_par_effectif as dette_par_effectif_lag12m,
    lag24.dette_par_effectif as dette_par_effectif_lag24m,
    lag36.dette_par_effectif as dette_par_effectif_lag36m,
    lag12.effectif as effectif_lag12m,
    lag24.effectif as effectif_lag24m,
    lag36.effectif as effectif_lag36m,
    lag12.dette_nette_sur_caf as dette_nette_sur_caf_lag12m,
    lag24.dette_nette_sur_caf as dette_nette_sur_caf_lag24m,
    lag36.dette_nette_sur_caf as dette_nette_sur_caf_lag36m,
    lag12.dette_a_terme_sur_k_propres as dette_a_terme_sur_k_propres_lag12m,
    lag24.dette_a_terme_sur_k_propres as dette_a_terme_sur_k_propres_lag24m,
    lag36.dette_a_terme_sur_k_propres as dette_a_terme_sur_k_propres_lag36m,
    lag12.ebe_sur_ca as ebe_sur_ca_lag12m,
    lag24.ebe_sur_ca as ebe_sur_ca_lag24m,
    lag36.ebe_sur_ca as ebe_sur_ca_lag36m,
    lag12.va_sur_effectif as va_sur_effectif_lag12m,
    lag24.va_sur_effectif as va_sur_effectif_lag24m,
    lag36.va_sur_effectif as va_sur_effectif_lag36m,
    lag12.charges_personnel_sur_va as charges_personnel_sur_va_lag12m,
    lag24.charges_personnel_sur_va as charges_personnel_sur_va_lag24m,
    lag36.charges_personnel_sur_va as charges_personnel_sur_va_lag36m,
    lag12.stocks_sur_ca as stocks_sur_ca_lag12m,
    lag24.stocks_sur_ca as stocks_sur_ca_lag24m,
    lag36.stocks_sur_ca as stocks_sur_ca_lag36m,
    lag12.liquidite_absolue as liquidite_absolue_lag12m,
    lag24.liquidite_absolue as liquidite_absolue_lag24m,
    lag36.liquidite_absolue as liquidite_absolue_lag36m,
    lag12.liquidite_generale as liquidite_generale_lag12m,
    lag24.liquidite_generale as liquidite_generale_lag24m,
    lag36.liquidite_generale as liquidite_generale_lag36m,
    lag12.liquidite_reduite as liquidite_reduite_lag12m,
    lag24.liquidite_reduite as liquidite_reduite_lag24m,
    lag36.liquidite_reduite as liquidite_reduite_lag36m,
    lag12.delai_paiement_sur_delai_encaissement as delai_paiement_sur_delai_encaissement_lag12m,
    lag24.delai_paiement_sur_delai_encaissement as delai_paiement_sur_delai_encaissement_lag24m,
    lag36.delai_paiement_sur_delai_encaissement as delai_paiement_sur_delai_encaissement_lag36m,
    lag12.k_propres_sur_k_social as k_propres_sur_k_social_lag12m,
    lag24.k_propres_sur_k_social as k_propres_sur_k_social_lag24m,
    lag36.k_propres_sur_k_social as k_propres_sur_k_social_lag36m,
    lag12.bfr_sur_k_propres as bfr_sur_k_propres_lag12m,
    lag24.bfr_sur_k_propres as bfr_sur_k_propres_lag24m,
    lag36.bfr_sur_k_propres as bfr_sur_k_propres_lag36m,
    lag12.taux_investissement as taux_investissement_lag12m,
    lag24.taux_investissement as taux_investissement_lag24m,
    lag36.taux_investissement as taux_investissement_lag36m,
    lag12.rentabilite_economique as rentabilite_economique_lag12m,
    lag24.rentabilite_economique as rentabilite_economique_lag24m,
    lag36.rentabilite_economique as rentabilite_economique_lag36m,
    lag12.solidite_financiere as solidite_financiere_lag12m,
    lag24.solidite_financiere as solidite_financiere_lag24m,
    lag36.solidite_financiere as solidite_financiere_lag36m
from feat_company_month as c
left join feat_dette as d using (month, siren)
left join past as lag12 on c.siren = lag12.siren and lag12.month = cast(c.month - interval 12 month as date)
left join past as lag24 on c.siren = lag24.siren and lag24.month = cast(c.month - interval 24 month as date)
left join past as lag36 on c.siren = lag36.siren and lag36.month = cast(c.month - interval 36 month as date)
where c.month between $first::date and $last::date
