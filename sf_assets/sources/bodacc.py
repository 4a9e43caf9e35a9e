"""BODACC, the official bulletin: the judgments of collective procedures, as its open data publishes them."""

from dataclasses import replace

from sf_assets.sources.description import Cell, Source

# The export has one line per announcement. `registre` names the companies it is about, each twice: 512345678,512 345 678.
# Announcements that name none are about persons outside the register; other families are no collective procedures.
BODACC = Source(
    name="bodacc",
    producer="DILA (BODACC)",
    grain="one announcement about one company in a collective procedure",
    names=("bodacc_procedures.csv",),
    pattern=r"annonces-commerciales.*[.]csv",
    key="siren",
    expected=False,
    unique=("id_annonce",),
    skip="\"familleavis\" <> 'collective' or \"registre\" = ''",
    legal_basis="open data",
    cells=(
        Cell("familleavis"),
        Cell("registre", "sirens", "siren", required=True),
        Cell("id", column="id_annonce", required=True),
        Cell("typeavis", "type_avis", "type_avis", required=True),
        Cell("dateparution", "date_iso", "date_parution", required=True),
        Cell("tribunal", column="tribunal"),
        Cell("jugement", "objet"),
        Cell("jugement", column="famille_jugement", member="famille"),
        Cell("jugement", "nature", "nature_jugement", member="nature"),
        Cell("jugement", "date_bodacc", "date_jugement", member="date", on_error="cell"),
        Cell("jugement", column="complement_jugement", member="complementJugement"),
        Cell("parutionavisprecedent", "objet"),
        Cell("parutionavisprecedent", column="publication_precedente", member="nomPublication"),
        Cell("parutionavisprecedent", column="parution_precedente", member="numeroParution"),
        Cell("parutionavisprecedent", column="numero_precedent", member="numeroAnnonce"),
    ),
)

SOURCES = (
    replace(
        BODACC,
        editions=(replace(BODACC, names=("bodacc_procedures.json",), pattern=r"annonces-commerciales.*[.]json"),),
    ),
)
