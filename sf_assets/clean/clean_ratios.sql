-- One row is one closing date of a company with the fifteen ratios of its most complete statement: the last version in
-- clean_ratios_version (rules §9.6). `date_publication` is the day of deposit, or a delay after closing when that day
-- is unknown.
select
    siren,
    date_debut_exercice,
    date_fin_exercice,
    annee_exercice,
    no_ocfi,
    date_publication,
    dette_nette_sur_caf,
    dette_a_terme_sur_k_propres,
    ebe_sur_ca,
    va_sur_effectif,
    charges_personnel_sur_va,
    stocks_sur_ca,
    liquidite_absolue,
    liquidite_generale,
    liquidite_reduite,
    delai_paiement_sur_delai_encaissement,
    k_propres_sur_k_social,
    bfr_sur_k_propres,
    taux_investissement,
    rentabilite_economique,
    solidite_financiere
from clean_ratios_version
where date_remplacement is null
