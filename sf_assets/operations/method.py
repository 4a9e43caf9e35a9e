"""The method that makes the lists: an operator's choices, with a reason and a name.

A list uses the method of the list before it, until an evaluation or a choice changes the method.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from sf_assets.engine.storage import Session, frame_of
from sf_assets.model.methods import METHODS
from sf_assets.model.selection import DECISIONS
from sf_assets.vocabulary.failures import UserError


class CannotChoose(UserError):
    """The request is not a valid choice of a method; the message says what was expected."""


def choose(session: Session, month: date, name: str, *, reason: str, decided_by: str, decided_at: datetime) -> None:
    """Record the method of the list of `month` and of later ones; `decided_at` has a time zone.

    Raises:
        CannotChoose: there is no such method, or the reason or the name is empty.

    """
    if name not in METHODS:
        raise CannotChoose(f"method: expected one of {', '.join(METHODS)}, found {name!r}")
    if not reason.strip() or not decided_by.strip():
        raise CannotChoose(f"{name}: expected a reason and a name, found {reason!r} and {decided_by!r}")
    row = {
        "methode": name,
        "reason": reason.strip(),
        "decided_by": decided_by.strip(),
        "decided_at": decided_at.astimezone(UTC).replace(tzinfo=None),
    }
    session.replace(
        {DECISIONS: frame_of(DECISIONS, [row])},
        where={"month": month},
        author=decided_by,
        message=f"{name} chosen from {month:%Y-%m} on",
    )


def lines(session: Session) -> Iterator[str]:
    """Yield one line for each choice, the earliest first."""
    session.bind({DECISIONS: None})
    for month, name, reason, by, at in session.connection.execute(
        "select month, methode, reason, decided_by, decided_at from method_decisions order by month"
    ).fetchall():
        yield f"{month:%Y-%m}, {name}: {reason} ({by}, {at:%Y-%m-%d %H:%M} UTC)"
