"""Signaux Faibles: who may see what of a published list (rules §13). Each partner answers for its lines and reviews them."""

from sf_assets.sources.description import Cell, Source
from sf_assets.vocabulary.modes import BOTH

ACCES = Source(
    name="acces",
    producer="Signaux Faibles",
    grain="one recipient, a person or a group, with its territory and its rights",
    names=("access.csv",),
    key="",
    filtered=False,
    expected=False,
    exclusive=True,
    unique=("destinataire",),
    legal_basis="rules of access signed by the partners",
    modes=BOTH,
    cells=(
        Cell("destinataire", "destinataire", "destinataire", required=True),
        Cell("role", column="role", required=True),
        Cell("zones", "zones", "zones", required=True),
        Cell("droits", "droits", "droits", required=True),
        Cell("suivis", "sirens", "suivis", optional=True),
        Cell("revu_le", "date_iso", "revu_le", required=True),
        Cell("valable_jusqu_au", "date_iso", "valable_jusqu_au", required=True),
        Cell("cle", "cle_age", "cle", optional=True),
    ),
)

SOURCES = (ACCES,)
