"""The companies of published lists: answers are about these only."""

from datetime import date

from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session

_PUBLISHED = read_sql("sf_assets.staging", "published_companies")
# Tables of later layers, read in months before the batch: an answer always comes after its list.
_READS = ("list_alerts", "list_publication")


def load_published(session: Session, gate: Gate, month: date) -> None:
    """Create the temporary table `published`: each company of the lists of earlier months, with the first that named it."""
    session.bind(dict.fromkeys(map(gate.table, _READS)))
    session.connection.execute(f"create or replace temp table published as {_PUBLISHED}", {"month": month})
