"""INSEE: the Sirene register, legal units, establishments and the history of their states."""

from dataclasses import replace

from sf_assets.sources.description import Cell, Source
from sf_assets.vocabulary.modes import BOTH, OPEN

# The text that INSEE writes instead of each name, address and coordinate of a partly published unit.
_NOT_DIFFUSED = "[ND]"


def _stock_names(stock: str) -> tuple[str, ...]:
    """Return the file names of a stock without packing: the former ones, and those of the open data since spring 2026."""
    return (
        f"{stock}_utf8.csv",
        f"{stock}_utf8.parquet",
        f"stock-{stock.lower()}-csv.csv",
        f"stock-{stock.lower()}-parquet.parquet",
    )


_EXTRACTED = Source(
    name="sirene_ul",
    producer="INSEE",
    grain="one legal unit",
    names=("sireneUL.csv",),
    exclusive=True,
    separator=",",
    undisclosed=_NOT_DIFFUSED,
    key="siren",
    filtered=False,
    legal_basis="open data",
    modes=BOTH,
    cells=(
        Cell("siren", column="siren", digits=9),
        Cell("denominationUniteLegale", column="raison_sociale"),
        *(Cell(f"prenom{n}UniteLegale", column=f"prenom{n}_unite_legale") for n in (1, 2, 3, 4)),
        Cell("nomUniteLegale", column="nom_unite_legale"),
        Cell("nomUsageUniteLegale", column="nom_usage_unite_legale"),
        Cell("categorieJuridiqueUniteLegale", column="categorie_juridique", digits=4),
        Cell("activitePrincipaleUniteLegale", "ape", "activite_principale", on_error="ignore"),
        Cell("nomenclatureActivitePrincipaleUniteLegale", "nomenclature", "nomenclature_activite", on_error="ignore"),
        # Delivered since December 2025; it may disappear once the main code is in NAF 2025.
        Cell("activitePrincipaleNAF25UniteLegale", column="activite_principale_naf25", optional=True),
        Cell("dateCreationUniteLegale", "date_iso", "creation", on_error="ignore"),
        Cell("etatAdministratifUniteLegale", "etat_actif", "est_actif"),
    ),
)

# INSEE's own files are editions of the extract.
SIRENE_UL = replace(
    _EXTRACTED,
    editions=(
        replace(
            _EXTRACTED,
            names=_stock_names("StockUniteLegale"),
        ),
    ),
)

_GEOCODED = Source(
    name="sirene",
    producer="INSEE",
    grain="one establishment",
    names=("StockEtablissement_utf8_geo.csv",),
    exclusive=True,
    separator=",",
    undisclosed=_NOT_DIFFUSED,
    filtered=False,
    legal_basis="open data",
    modes=BOTH,
    cells=(
        Cell("siren", column="siren", digits=9),
        Cell("nic", column="nic", digits=5),
        Cell("etablissementSiege", "booleen", "siege", required=True),
        Cell("complementAdresseEtablissement", column="complement_adresse"),
        Cell("numeroVoieEtablissement", column="numero_voie"),
        Cell("indiceRepetitionEtablissement", "indrep", "indrep", on_error="ignore"),
        Cell("typeVoieEtablissement", "type_voie", "type_voie", on_error="ignore"),
        Cell("libelleVoieEtablissement", column="voie"),
        Cell("libelleCommuneEtablissement", column="commune"),
        Cell("libelleCommuneEtrangerEtablissement", column="commune_etranger"),
        Cell("distributionSpecialeEtablissement", column="distribution_speciale"),
        Cell("codeCommuneEtablissement", "code_commune", "code_commune", on_error="ignore", digits=5),
        Cell("codeCedexEtablissement", column="code_cedex", digits=5),
        Cell("libelleCedexEtablissement", column="cedex"),
        Cell("codePaysEtrangerEtablissement", column="code_pays_etranger", digits=5),
        Cell("libellePaysEtrangerEtablissement", column="pays_etranger"),
        Cell("codePostalEtablissement", "code_postal", "code_postal", on_error="ignore", digits=5),
        Cell("activitePrincipaleEtablissement", "ape", "ape", on_error="ignore"),
        Cell("nomenclatureActivitePrincipaleEtablissement", "nomenclature", "nomenclature_activite", on_error="ignore"),
        Cell("activitePrincipaleNAF25Etablissement", "ape", "ape_naf25", on_error="ignore", optional=True),
        Cell("dateCreationEtablissement", "date_iso", "date_creation", on_error="ignore"),
        Cell("longitude", "decimal_point", "longitude", on_error="cell"),
        Cell("latitude", "decimal_point", "latitude", on_error="cell"),
        Cell("etatAdministratifEtablissement", "etat_actif", "est_actif"),
    ),
)

# INSEE's own files have no coordinates.
SIRENE = replace(
    _GEOCODED,
    editions=(
        replace(
            _GEOCODED,
            names=_stock_names("StockEtablissement"),
            cells=tuple(cell for cell in _GEOCODED.cells if cell.header not in ("longitude", "latitude")),
        ),
    ),
)

SIRENE_HISTO = Source(
    name="sirene_histo",
    producer="INSEE",
    grain="one period in the life of an establishment",
    names=_stock_names("StockEtablissementHistorique"),
    exclusive=True,
    separator=",",
    undisclosed=_NOT_DIFFUSED,
    expected=False,
    legal_basis="open data",
    modes=BOTH,
    skip="\"etatAdministratifEtablissement\" not in ('A', 'F') or (\"dateDebut\" = '' and \"dateFin\" = '')",
    cells=(
        Cell("siret", column="siret", digits=14),
        Cell("dateDebut", "date_iso", "date_debut"),
        Cell("dateFin", "date_iso", "date_fin"),
        Cell("etatAdministratifEtablissement", "etat_actif", "est_actif"),
        Cell("changementEtatAdministratifEtablissement", "booleen", "changement_statut_actif", required=True),
    ),
)

# The band is that of a past year, and a unit that no longer employs has none: earlier stocks, or an extract of them, say what the
# bands of earlier years were. `NN` and an empty cell are unknown, not zero.
SIRENE_TRANCHE = Source(
    name="sirene_tranche",
    producer="INSEE",
    grain="the staff band of one legal unit in one year, as one stock publishes it",
    names=("tranches_unites_legales.csv",),
    pattern=r"(tranches_unites_legales|StockUniteLegale).*(19|20)[0-9]{2}.*[.](csv|parquet)",
    shares="sirene_ul",
    separator=",",
    key="siren",
    filtered=False,
    expected=False,
    legal_basis="open data",
    modes=(OPEN,),
    skip="\"trancheEffectifsUniteLegale\" in ('', 'NN') or \"anneeEffectifsUniteLegale\" = ''",
    cells=(
        Cell("siren", column="siren", digits=9),
        Cell("anneeEffectifsUniteLegale", "entier", "annee_effectif", required=True),
        Cell("trancheEffectifsUniteLegale", "tranche", "effectif_minimum", required=True),
    ),
)

SOURCES = (SIRENE, SIRENE_UL, SIRENE_HISTO, SIRENE_TRANCHE)
