"""BODACC, the official bulletin: the judgments of collective procedures, as its open data publishes them."""

from dataclasses import replace

from sf_assets.sources.description import Cell, Source

# The export has one line per announcement. `registre` names the companies it is about, each twice: 512345678,512 345 678;
# craftsmen may stand in the trades register alone. Announcements that name none are about persons outside both; other families
# are no collective procedures. Whoever it is about, an announcement that refers to another one acts on that one.
_TRADES = "personne[*].inscriptionRM.numeroIdentificationRM"
_CORRECTS = "\"parutionavisprecedent\" not in ('', '{}')"
# What cannot be read is not known to name nobody.
_NOBODY = f'"registre" = \'\' and "listepersonnes.{_TRADES}" = \'\' and ("listepersonnes" = \'\' or json_valid("listepersonnes"))'
BODACC = Source(
    name="bodacc",
    producer="DILA (BODACC)",
    grain="one announcement about one company in a collective procedure, or about none of ours but about another announcement",
    names=("bodacc_procedures.csv",),
    pattern=r"annonces-commerciales.*[.]csv",
    key="siren",
    expected=False,
    unique=("id_annonce",),
    skip=f"(\"familleavis\" <> 'collective' or ({_NOBODY})) and not ({_CORRECTS})",
    exempt=_CORRECTS,
    legal_basis="open data",
    cells=(
        Cell("familleavis", column="famille_avis"),
        Cell("registre", "sirens", "siren"),
        Cell("listepersonnes", optional=True),
        Cell("listepersonnes", "sirens", "siren_metiers", on_error="cell", optional=True, member=_TRADES),
        Cell("id", column="id_annonce", required=True),
        Cell("typeavis", "type_avis", "type_avis", required=True),
        Cell("dateparution", "date_iso", "date_parution", required=True),
        Cell("tribunal", column="tribunal"),
        Cell("jugement", "objet"),
        Cell("jugement", "accents", "famille_jugement", member="famille"),
        Cell("jugement", "nature", "nature_jugement", member="nature"),
        Cell("jugement", "date_bodacc", "date_jugement", member="date", on_error="cell"),
        Cell("jugement", "accents", "complement_jugement", member="complementJugement"),
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
