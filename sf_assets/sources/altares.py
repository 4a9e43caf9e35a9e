"""Altares: how companies pay their suppliers (paydex and FPI notes)."""

from sf_assets.sources.description import Cell, Source

PAYDEX = Source(
    name="paydex",
    producer="Altares",
    grain="the payment behaviour of a company measured on one day",
    names=("altares_paydex.csv",),
    separator=",",
    key="siren",
    expected=False,
    keeps_line=True,
    known="`date_valeur` + 1 month",
    legal_basis="contract with the provider",
    cells=(
        Cell("siren", column="siren"),
        Cell("état_organisation", column="etat_organisation"),
        Cell("code_paydex", column="code_paydex"),
        Cell("paydex", "decimal_point", "paydex"),
        Cell("n_fournisseurs", "decimal_point", "n_fournisseurs"),
        Cell("encours_étudiés", "decimal_point", "encours_etudies"),
        Cell("fpi_30", "decimal_point", "fpi_30"),
        Cell("fpi_90", "decimal_point", "fpi_90"),
        Cell("date", "date_iso", "date_valeur", required=True),
    ),
)

SOURCES = (PAYDEX,)
