"""Yearly accounts: the tax administration's statements, and the open ratios that INPI and Banque de France publish."""

from sf_assets.sources.description import Cell, Reader, Source
from sf_assets.vocabulary.modes import BOTH

_STATEMENT = (
    Cell("siren", column="siren"),
    Cell("date_deb_exercice", "date_compacte", "date_deb_exercice", required=True),
    Cell("date_fin_exercice", "date_compacte", "date_fin_exercice", required=True),
)
_FILING = (Cell("no_ocfi", column="no_ocfi"), Cell("annee_exercice", "entier", "annee_exercice"))


def _amounts(names: str) -> tuple[Cell, ...]:
    return tuple(Cell(name, "decimal_point", name) for name in names.split())


DECLARATIONS_INDMAP = Source(
    name="declarations_indmap",
    producer="DGFiP",
    grain="one statement of a company: the amounts it declared",
    names=("declarations_indmap.csv",),
    separator="|",
    key="siren",
    expected=False,
    legal_basis="tax secrecy, convention with the producer",
    cells=(
        *_STATEMENT,
        *_FILING,
        Cell("date_depot", "date_compacte", "date_depot", optional=True),
        *_amounts(
            "d_dvs_376_nbr_pers d_cr_250_expl_salaire d_cr_252_expl_ch_soc d_cr_260_expl_dt_syndic "
            "d_actf_stk_march_net d_actf_stk_mat1e_net d_passf_142_k_propres d_passf_120_k "
            "rto_invest_ca rto_af_solidite_financiere"
        ),
    ),
)

DECLARATIONS_AF = Source(
    name="declarations_af",
    keeps_line=True,
    producer="DGFiP",
    grain="one statement of a company: the amounts the administration derived",
    names=("declarations_af.csv",),
    separator="|",
    key="siren",
    expected=False,
    legal_basis="tax secrecy, convention with the producer",
    cells=(
        *_STATEMENT,
        *_FILING,
        *_amounts(
            "mnt_af_endettement_net rto_af_endettement_a_terme mnt_af_sig_ebe_ret mnt_af_ca mnt_af_sig_va_ret "
            "mnt_af_bfonc_actif_circ_expl mnt_af_bfonc_actif_circ_h_expl mnt_af_bfonc_passif_circ_expl "
            "mnt_af_bfonc_passif_circ_h_expl mnt_af_bfonc_tresorerie nbr_af_jours_reglt_fourn "
            "nbr_af_jours_creance_cli mnt_af_bfonc_bfr rto_af_rent_eco"
        ),
    ),
)

RATIOS_DIRCO = Source(
    name="ratios_dirco",
    keeps_line=True,
    producer="DGFiP",
    grain="one statement of a company: two ratios of the audit services",
    names=("ratios_dirco.csv",),
    separator="|",
    key="siren",
    expected=False,
    legal_basis="tax secrecy, convention with the producer",
    cells=(*_STATEMENT, *_amounts("rto_6 rto_56")),
)


# Typing errors are frequent in this file: a wrong figure quarantines its cell, since the other figures are usually right.
def _figures(reader: Reader, names: str) -> tuple[Cell, ...]:
    return tuple(Cell(name, reader, name, on_error="cell") for name in names.split())


RATIOS_INPI_BCE = Source(
    name="ratios_inpi_bce",
    producer="INPI, Banque de France",
    grain="the ratios of one company, closing date and kind of accounts",
    names=("ratios_inpi_bce.csv",),
    key="siren",
    expected=False,
    unique=("siren", "date_cloture_exercice", "type_bilan"),
    legal_basis="open data",
    modes=BOTH,
    cells=(
        Cell("siren", column="siren"),
        Cell("date_cloture_exercice", "date_cloture", "date_cloture_exercice", required=True),
        *_figures("montant", "chiffre_d_affaires marge_brute ebe ebit resultat_net"),
        *_figures(
            "ratio",
            "taux_d_endettement ratio_de_liquidite ratio_de_vetuste autonomie_financiere "
            "poids_bfr_exploitation_sur_ca couverture_des_interets caf_sur_ca capacite_de_remboursement marge_ebe "
            "resultat_courant_avant_impots_sur_ca poids_bfr_exploitation_sur_ca_jours rotation_des_stocks_jours "
            "credit_clients_jours credit_fournisseurs_jours",
        ),
        Cell("type_bilan", column="type_bilan", required=True),
        Cell("confidentiality", column="confidentiality", optional=True),
    ),
)

SOURCES = (DECLARATIONS_INDMAP, DECLARATIONS_AF, RATIOS_DIRCO, RATIOS_INPI_BCE)
