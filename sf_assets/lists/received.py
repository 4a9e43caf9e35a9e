"""Officers' answers from all the batches in which they came back: the newest of each recipient, company and list."""

from datetime import date
from importlib.resources import files

from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.queries import read_query
from sf_assets.engine.storage import Session, Write
from sf_assets.lists.tables import ANSWERS

QUERY = read_query(files("sf_assets.lists"), ANSWERS.name)
(RETURNS,) = QUERY.reads


def gather_answers(session: Session, gate: Gate, month: date, author: str) -> Write:
    """Write the month of `list_answers`: answers received until then, as long as what brought them is retained.

    Raises:
        Blocked: the answers of one of these batches did not pass their checks.

    """
    received = [one for one in session.months(RETURNS) if one <= month]
    gate.require(session, [(RETURNS, one) for one in dict.fromkeys((month, *received))])
    session.bind_months([gate.table(RETURNS)], received)
    message = f"{ANSWERS.name} {month:%Y-%m}"
    return session.replace({ANSWERS: QUERY.text}, where={"month": month}, author=author, message=message)[ANSWERS.name]
