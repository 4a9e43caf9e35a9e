"""Answers of officers about the companies of a list: the workbook of their folder, filled in and sent back."""

from sf_assets.sources.description import Cell, Source
from sf_assets.vocabulary.modes import BOTH

# Titles of the columns that officers fill in, as the workbook has them.
CONTACTED, CONTACTED_ON, USEFULNESS, OFFERED, REMARK = (
    "Contactée",
    "Contactée le",
    "Utilité",
    "Aide proposée",
    "Remarque",
)
LIST, RECIPIENT = "Liste", "Destinataire"
UTILITIES = ("Utile", "Déjà connue", "Alerte erronée", "Hors de notre ressort")

RETOUR = Source(
    name="retour",
    producer="recipients of the lists",
    grain="the answer of one recipient about one company of one list",
    names=(),
    pattern=r"retour[^.]*[.](csv|xlsx)",
    key="siren",
    filtered=False,
    expected=False,
    keeps_line=True,
    about_lists=LIST,
    first_sheet=True,
    legal_basis="rules of access signed by the partners",
    modes=BOTH,
    # A company without any answer is a line that the officer left as it was.
    skip=" and ".join(f"\"{title}\" = ''" for title in (CONTACTED, CONTACTED_ON, USEFULNESS, OFFERED, REMARK)),
    cells=(
        Cell("SIREN", column="siren"),
        Cell(LIST, "lot", "liste", required=True),
        Cell(RECIPIENT, "destinataire", "destinataire", required=True),
        Cell(CONTACTED, "oui_non", "contactee"),
        Cell(CONTACTED_ON, "date_fr", "contactee_le"),
        Cell(USEFULNESS, "utilite", "utilite"),
        Cell(OFFERED, column="aide"),
        Cell(REMARK, column="remarque"),
    ),
)

SOURCES = (RETOUR,)
