"""BODACC, the official bulletin: the judgments of collective procedures, as its open data publishes them."""

from dataclasses import replace

from sf_assets.sources.description import Cell, Source
from sf_assets.vocabulary.modes import BOTH

# The export has one line per announcement. `registre` holds the companies it is about, each written twice: 512345678,512 345 678.
# Craftsmen may be in the trades register alone. Announcements without a company are about persons outside both registers; other
# families of announcements are no collective procedures. An announcement that refers to an earlier one changes that one, so it is
# loaded whatever company it names.
_TRADES = "personne[*].inscriptionRM.numeroIdentificationRM"
_CORRECTS = "\"parutionavisprecedent\" not in ('', '{}')"
# A malformed list of persons may still name a company: the record is then read, not skipped.
_NOBODY = f'"registre" = \'\' and "listepersonnes.{_TRADES}" = \'\' and ("listepersonnes" = \'\' or json_valid("listepersonnes"))'
BODACC = Source(
    name="bodacc",
    producer="DILA (BODACC)",
    grain="one announcement about one company in a collective procedure, or about none and an earlier announcement",
    names=("bodacc_procedures.csv",),
    pattern=r"annonces-commerciales.*[.]csv",
    key="siren",
    expected=False,
    unique=("id_annonce",),
    skip=f"(\"familleavis\" <> 'collective' or ({_NOBODY})) and not ({_CORRECTS})",
    exempt=_CORRECTS,
    legal_basis="open data",
    modes=BOTH,
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
