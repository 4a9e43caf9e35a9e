-- One row is one company and financial year with the ratios that INPI and Banque de France publish about its accounts
-- (rules §9.13). The year is that of the day six months before closing: accounts closed on 30 June 2023 are those of
-- 2022. Of several accounts of a year, consolidated ones come first, then full, then simplified ones, then those closed
-- last. A closing date after the batch's cut-off is a typing error, and its row is left out. Partly confidential
-- accounts show the figures of the income statement as zeros: there, zero is unknown (deviation B6). Accounts are known
-- a delay after closing, as other accounts without a date of deposit.
with exercices as (
    select
        *,
        cast(year(date_cloture_exercice - interval 6 month) as integer) as annee_exercice,
        coalesce(confidentiality, 'Public') <> 'Public' as est_confidentiel,
        case when est_confidentiel then 0 end as inconnu
    from stg_ratios_inpi_bce
    where
        date_cloture_exercice <= $reference_date
        and siren not in (select siren from siren_blacklist)
    qualify row_number() over (
        partition by siren, annee_exercice
        order by
            case type_bilan when 'K' then 1 when 'C' then 2 when 'S' then 3 else 4 end,
            date_cloture_exercice desc,
            type_bilan
    ) = 1
)

select
    siren,
    annee_exercice,
    date_cloture_exercice,
    known_from_ratios_inpi_bce(date_cloture_exercice) as date_publication,
    type_bilan,
    est_confidentiel,
    nullif(chiffre_d_affaires, inconnu) as chiffre_d_affaires,
    nullif(marge_brute, inconnu) as marge_brute,
    nullif(ebe, inconnu) as ebe,
    nullif(ebit, inconnu) as ebit,
    resultat_net,
    taux_d_endettement,
    ratio_de_liquidite,
    ratio_de_vetuste,
    autonomie_financiere,
    nullif(poids_bfr_exploitation_sur_ca, inconnu) as poids_bfr_exploitation_sur_ca,
    nullif(couverture_des_interets, inconnu) as couverture_des_interets,
    nullif(caf_sur_ca, inconnu) as caf_sur_ca,
    nullif(capacite_de_remboursement, inconnu) as capacite_de_remboursement,
    nullif(marge_ebe, inconnu) as marge_ebe,
    nullif(resultat_courant_avant_impots_sur_ca, inconnu) as resultat_courant_avant_impots_sur_ca,
    nullif(poids_bfr_exploitation_sur_ca_jours, inconnu) as poids_bfr_exploitation_sur_ca_jours,
    nullif(rotation_des_stocks_jours, inconnu) as rotation_des_stocks_jours,
    nullif(credit_clients_jours, inconnu) as credit_clients_jours,
    nullif(credit_fournisseurs_jours, inconnu) as credit_fournisseurs_jours
from exercices
