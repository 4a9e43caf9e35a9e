"""INSEE: the Sirene register, legal units, establishments and the history of their states."""

from dataclasses import replace

from sf_assets.sources.description import Cell, Source

# A record whose activity is coded in a former nomenclature says nothing we can use: it is left out, as the producer's
# users have always done. Its company may then lack a seat, and leaves the perimeter.
_FORMER_NOMENCLATURE = "\"{activity}\" <> '' and \"{nomenclature}\" <> 'NAFRev2'"

_EXTRACTED = Source(
    name="sirene_ul",
    producer="INSEE",
    grain="one legal unit",
    names=("sireneUL.csv",),
    exclusive=True,
    separator=",",
    key="siren",
    filtered=False,
    legal_basis="open data",
    skip=_FORMER_NOMENCLATURE.format(
        activity="activitePrincipaleUniteLegale", nomenclature="nomenclatureActivitePrincipaleUniteLegale"
    ),
    cells=(
        Cell("siren", column="siren"),
        Cell("denominationUniteLegale", column="raison_sociale"),
        *(Cell(f"prenom{n}UniteLegale", column=f"prenom{n}_unite_legale") for n in (1, 2, 3, 4)),
        Cell("nomUniteLegale", column="nom_unite_legale"),
        Cell("nomUsageUniteLegale", column="nom_usage_unite_legale"),
        Cell("categorieJuridiqueUniteLegale", column="categorie_juridique"),
        Cell("activitePrincipaleUniteLegale", "ape", "activite_principale", on_error="ignore"),
        Cell("nomenclatureActivitePrincipaleUniteLegale"),
        Cell("activitePrincipaleNAF25UniteLegale", column="activite_principale_naf25"),
        Cell("dateCreationUniteLegale", "date_iso", "creation", on_error="ignore"),
        Cell("etatAdministratifUniteLegale", "etat_actif", "est_actif"),
    ),
)

# INSEE's own editions; those before 2025 know no second nomenclature.
SIRENE_UL = replace(
    _EXTRACTED,
    editions=(
        replace(
            _EXTRACTED,
            names=("StockUniteLegale_utf8.csv", "StockUniteLegale_utf8.parquet"),
            cells=tuple(replace(cell, optional="NAF25" in cell.header) for cell in _EXTRACTED.cells),
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
    filtered=False,
    legal_basis="open data",
    skip=_FORMER_NOMENCLATURE.format(
        activity="activitePrincipaleEtablissement", nomenclature="nomenclatureActivitePrincipaleEtablissement"
    ),
    cells=(
        Cell("siren", column="siren"),
        Cell("nic", column="nic"),
        Cell("etablissementSiege", "booleen", "siege", required=True, on_error="cell"),
        Cell("complementAdresseEtablissement", column="complement_adresse"),
        Cell("numeroVoieEtablissement", column="numero_voie"),
        Cell("indiceRepetitionEtablissement", "indrep", "indrep", on_error="ignore"),
        Cell("typeVoieEtablissement", "type_voie", "type_voie", on_error="ignore"),
        Cell("libelleVoieEtablissement", column="voie"),
        Cell("libelleCommuneEtablissement", column="commune"),
        Cell("libelleCommuneEtrangerEtablissement", column="commune_etranger"),
        Cell("distributionSpecialeEtablissement", column="distribution_speciale"),
        Cell("codeCommuneEtablissement", "code_commune", "code_commune", on_error="ignore"),
        Cell("codeCedexEtablissement", column="code_cedex"),
        Cell("libelleCedexEtablissement", column="cedex"),
        Cell("codePaysEtrangerEtablissement", column="code_pays_etranger"),
        Cell("libellePaysEtrangerEtablissement", column="pays_etranger"),
        Cell("codePostalEtablissement", "code_postal", "code_postal", on_error="ignore"),
        Cell("activitePrincipaleEtablissement", "ape", "ape", on_error="ignore"),
        Cell("nomenclatureActivitePrincipaleEtablissement"),
        Cell("dateCreationEtablissement", "date_iso", "date_creation", on_error="ignore"),
        Cell("longitude", "decimal_point", "longitude", on_error="cell"),
        Cell("latitude", "decimal_point", "latitude", on_error="cell"),
        Cell("etatAdministratifEtablissement", "etat_actif", "est_actif"),
    ),
)

# INSEE's own editions are not geocoded.
SIRENE = replace(
    _GEOCODED,
    editions=(
        replace(
            _GEOCODED,
            names=("StockEtablissement_utf8.csv", "StockEtablissement_utf8.parquet"),
            cells=tuple(cell for cell in _GEOCODED.cells if cell.header not in ("longitude", "latitude")),
        ),
    ),
)

SIRENE_HISTO = Source(
    name="sirene_histo",
    producer="INSEE",
    grain="one period in the life of an establishment",
    names=("StockEtablissementHistorique_utf8.csv", "StockEtablissementHistorique_utf8.parquet"),
    exclusive=True,
    separator=",",
    expected=False,
    legal_basis="open data",
    skip="\"etatAdministratifEtablissement\" not in ('A', 'F') or (\"dateDebut\" = '' and \"dateFin\" = '')",
    cells=(
        Cell("siret", column="siret"),
        Cell("dateDebut", "date_iso", "date_debut"),
        Cell("dateFin", "date_iso", "date_fin"),
        Cell("etatAdministratifEtablissement", "etat_actif", "est_actif"),
        Cell("changementEtatAdministratifEtablissement", "booleen", "changement_statut_actif", required=True),
    ),
)

SOURCES = (SIRENE, SIRENE_UL, SIRENE_HISTO)
