"""What officers answered about the companies of a list, beside it. Answers choose no company, no level and no rank."""

import polars as pl

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session

# The asset that a list reads them from.
READS = ("list_answers",)
_KNOWN = read_sql("sf_assets.lists", "known_answers")


def with_known_answers(session: Session, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with `deja_connue_depuis`, a month, and `derniere_reponse`, in French; NULL where nobody answered.

    `list_answers` is bound to the month of the list in the session.
    """
    known = session.connection.execute(_KNOWN).pl()
    return rows.join(known, on="siren", how="left", maintain_order="left")
