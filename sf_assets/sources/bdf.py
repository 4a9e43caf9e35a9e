"""Banque de France: six ratios of yearly accounts (rules §9.4). The file name is chosen by this project."""

from sf_assets.sources.description import Cell, Source

BDF = Source(
    name="bdf",
    producer="Banque de France",
    grain="the ratios of a company for one closing date",
    names=("bdf.csv",),
    key="siren",
    expected=False,
    cells=(
        Cell("D1", "sans_blancs", "siren"),
        Cell("ANNEE", "entier", "annee"),
        Cell("ARRETE_BILAN", "date_abregee", "date_cloture_exercice", required=True),
        Cell("DENOM", column="raison_sociale"),
        Cell("SECTEUR", column="secteur"),
        Cell("POIDS_FRNG", "decimal_virgule", "poids_frng"),
        Cell("TX_MARGE", "decimal_virgule", "taux_marge"),
        Cell("DELAI_FRS", "decimal_virgule", "delai_fournisseur"),
        Cell("POIDS_DFISC_SOC", "decimal_virgule", "dette_fiscale"),
        Cell("POIDS_FIN_CT", "decimal_virgule", "financier_court_terme"),
        Cell("POIDS_FRAIS_FIN", "decimal_virgule", "frais_financier"),
    ),
)

SOURCES = (BDF,)
