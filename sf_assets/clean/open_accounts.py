"""The clean table of the accounts that INPI and Banque de France publish as open data."""

from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.schema import Column, Table, no_rows

RATIOS_INPI = Table(
    name="clean_ratios_inpi",
    grain="one financial year of a company, with the published ratios of its accounts",
    columns=(
        *pick("siren annee_exercice date_cloture_exercice date_publication type_bilan"),
        Column(
            "est_confidentiel",
            "BOOLEAN",
            "part of the accounts is not public: the figures of the income statement are unknown",
        ),
        *pick(
            "chiffre_d_affaires marge_brute ebe ebit resultat_net taux_d_endettement ratio_de_liquidite "
            "ratio_de_vetuste autonomie_financiere poids_bfr_exploitation_sur_ca couverture_des_interets caf_sur_ca "
            "capacite_de_remboursement marge_ebe resultat_courant_avant_impots_sur_ca "
            "poids_bfr_exploitation_sur_ca_jours rotation_des_stocks_jours credit_clients_jours "
            "credit_fournisseurs_jours"
        ),
    ),
    key=("siren", "annee_exercice"),
    rules=(
        no_rows(
            "turnover_agrees_with_margin",
            "select * from {batch} where abs(chiffre_d_affaires * marge_ebe / 100 / nullif(ebe, 0)) "
            "not between 0.1 and 10 and marge_ebe <> 0 and chiffre_d_affaires <> 0",
            "The surplus is ten times more or less than turnover times margin: one of the three was typed in another unit. "
            "Do not rank companies by these amounts.",
            "warning",
        ),
    ),
    may_be_empty=True,
)
