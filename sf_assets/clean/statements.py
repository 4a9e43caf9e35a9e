"""Clean tables of the ratios of statements filed with the tax administration: every version, and the last one."""

from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.schema import Column, Table, no_rows

_RATIOS = (
    "dette_nette_sur_caf dette_a_terme_sur_k_propres ebe_sur_ca va_sur_effectif charges_personnel_sur_va stocks_sur_ca "
    "liquidite_absolue liquidite_generale liquidite_reduite delai_paiement_sur_delai_encaissement "
    "k_propres_sur_k_social bfr_sur_k_propres taux_investissement rentabilite_economique solidite_financiere"
)

RATIOS_VERSION = Table(
    name="clean_ratios_version",
    grain="one closing date of a company with its most complete statement, from its filing until another replaces it",
    columns=(
        *pick("siren date_debut_exercice date_fin_exercice annee_exercice no_ocfi date_publication"),
        *pick(_RATIOS),
        Column(
            "date_remplacement",
            "DATE",
            "day from which a more complete statement replaces this one, NULL when there is none",
        ),
    ),
    key=("siren", "date_fin_exercice", "date_publication"),
    rules=(
        no_rows(
            "one_version_at_a_time",
            "select siren from {batch} where date_remplacement <= date_publication",
            "A version lasts at least one day: check clean_ratios_version.sql.",
        ),
    ),
    may_be_empty=True,
)

RATIOS = Table(
    name="clean_ratios",
    grain="one closing date of a company, with the ratios of its most complete statement",
    columns=(
        *pick("siren date_debut_exercice date_fin_exercice annee_exercice no_ocfi date_publication"),
        *pick(_RATIOS),
    ),
    key=("siren", "date_fin_exercice"),
    rules=(
        no_rows(
            "date_fin_exercice_after_date_debut_exercice",
            "select * from {batch} where date_fin_exercice < date_debut_exercice",
            "A financial year ends before it starts: ask DGFiP.",
            "warning",
        ),
        no_rows(
            "date_publication_after_date_fin_exercice",
            "select * from {batch} where date_publication < date_fin_exercice",
            "Accounts are deposited after closing: ask DGFiP.",
            "warning",
        ),
    ),
    may_be_empty=True,
)

TABLES = (RATIOS_VERSION, RATIOS)
