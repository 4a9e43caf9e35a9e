"""Choosing the method of lists: python -m sf_assets.operations.method choose, or list.

A list keeps the method of the list before it; only an evaluation, or somebody with a reason, changes it.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime

from sf_assets.engine.storage import Session, Warehouse, frame_of
from sf_assets.model.champion import DECISIONS
from sf_assets.model.methods import METHODS
from sf_assets.settings import Settings, resources_for
from sf_assets.vocabulary.partitions import month_argument


class CannotChoose(ValueError):
    """What is asked is no choice of a method: the message says what was expected."""


def choose(session: Session, month: date, name: str, *, reason: str, decided_by: str, decided_at: datetime) -> None:
    """Record the method of the list of `month` and of later ones; `decided_at` has a time zone.

    Raises:
        CannotChoose: there is no such method, or nobody answers for it with a reason.

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


def told(session: Session) -> Iterator[str]:
    """Yield one line for each choice, the earliest first."""
    session.bind({DECISIONS: None})
    for month, name, reason, by, at in session.connection.execute(
        "select month, methode, reason, decided_by, decided_at from method_decisions order by month"
    ).fetchall():
        yield f"{month:%Y-%m}, {name}: {reason} ({by}, {at:%Y-%m-%d %H:%M} UTC)"


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks for; return 1 when it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m sf_assets.operations.method", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    choosing = actions.add_parser("choose", help="choose the method of the list of a month and of later ones")
    choosing.add_argument("--month", type=month_argument, required=True, help="first month of the choice, AAAA-MM")
    choosing.add_argument("--method", required=True, help=", ".join(METHODS))
    choosing.add_argument("--reason", required=True, help="why, in French: the list says it")
    choosing.add_argument("--by", required=True, help="name of who answers for it")
    actions.add_parser("list", help="show what was chosen")
    given = parser.parse_args(arguments)
    warehouse: Warehouse = resources_for(Settings.from_environment())["warehouse"]  # type: ignore[assignment]
    with warehouse.session() as session:
        if given.action == "choose":
            now = datetime.now(UTC)
            try:
                choose(session, given.month, given.method, reason=given.reason, decided_by=given.by, decided_at=now)
            except CannotChoose as error:
                sys.stderr.write(f"{error}\n")
                return 1
            sys.stdout.write("It holds once model_fitted and what follows it are materialised for the month.\n")
        for line in told(session):
            sys.stdout.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
