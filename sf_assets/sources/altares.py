"""Altares: payment behaviour of companies towards their suppliers (paydex and FPI notes), in four editions.

The provider's file names: `SF_DATA_AAAAMMJJ.txt` is the stock, `S_<customer>-<n>_<AAAAMMJJhhmm>.csv` the changes of one
month, `E_<12 digits>_Retro-Paydex_<8 digits>.csv` the days late of past years. `altares_paydex.csv` is the output of the
former conversion tool. A month's table holds the records of that month's files only, in the order of their names: the
stock is therefore delivered with every increment since.
"""

from dataclasses import replace

from sf_assets.sources.description import Cell, Source

# Files read by position sometimes start with a line of names, whose spelling varies.
_NAMES = "lower(\"siren\") = 'siren'"
_MEASURES = (
    Cell("siren", column="siren"),
    Cell("etat_organisation", column="etat_organisation"),
    Cell("code_paydex", column="code_paydex"),
    Cell("nbr_jrs_retard", "decimal_virgule", "paydex"),
    Cell("nbr_fournisseurs", "decimal_virgule", "n_fournisseurs"),
    Cell("encours_etudies", "decimal_virgule", "encours_etudies"),
    Cell("note100_alerteur_plus_30", "decimal_virgule", "fpi_30"),
    Cell("note100_alerteur_plus_90_jours", "decimal_virgule", "fpi_90"),
)

_CONVERTED = Source(
    name="paydex",
    producer="Altares",
    grain="the payment behaviour of a company measured on one day",
    names=("altares_paydex.csv",),
    separator=",",
    key="siren",
    expected=False,
    keeps_line=True,
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

_STOCK = replace(
    _CONVERTED,
    names=(),
    pattern=r"SF_DATA_[0-9]{8}\.(txt|csv)",
    separator=";",
    trims=True,
    skip=_NAMES,
    columns=(
        "siren",
        "etat_organisation",
        "code_paydex",
        "paydex",
        "nbr_jrs_retard",
        "nbr_fournisseurs",
        "encours_etudies",
        "nbr_experiences_paiement",
        "note100_alerteur_plus_30",
        "note100_alerteur_plus_90_jours",
        "date_valeur",
    ),
    cells=(*_MEASURES, Cell("date_valeur", "date_fr", "date_valeur", required=True)),
)

_INCREMENT_PLACES = {
    "siren": 1,
    "etat_organisation": 18,
    "code_paydex": 21,
    "nbr_jrs_retard": 22,
    "nbr_fournisseurs": 23,
    "encours_etudies": 24,
    "note100_alerteur_plus_30": 26,
    "note100_alerteur_plus_90_jours": 27,
    "date_valeur": 30,
}
_INCREMENT_NAMES = {place: name for name, place in _INCREMENT_PLACES.items()}

_INCREMENT = replace(
    _STOCK,
    pattern=r"S_[0-9]{12}-[0-9]+_[0-9]{12}\.csv",
    encoding="iso-8859-15",
    trailer="Fin du fichier",
    columns=tuple(_INCREMENT_NAMES.get(place, f"unread_{place}") for place in range(31)),
    cells=(*_MEASURES, Cell("date_valeur", "date_iso", "date_valeur", required=True)),
)

_RETRO = replace(
    _CONVERTED,
    names=(),
    pattern=r"E_[0-9]{12}_Retro-Paydex_[0-9]{8}\.csv",
    separator=";",
    cells=(
        Cell("SIREN", column="siren"),
        Cell("NB_JOURS", "entier", "paydex"),
        Cell("DATE_VALEUR", "date_fr", "date_valeur", required=True),
    ),
)

PAYDEX = replace(_CONVERTED, editions=(_STOCK, _INCREMENT, _RETRO))

SOURCES = (PAYDEX,)
