"""Acceptances: failed checks that an operator allows for one month, with a reason and a name."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality.acceptances import Acceptance, acceptances_of, record_acceptance
from sf_assets.engine.quality.freshness import last_writes
from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.quality.verdicts import verdicts_on
from sf_assets.engine.storage import Session
from sf_assets.vocabulary.failures import UserError


class CannotAccept(UserError):
    """The request is not the acceptance of a failed check; the message says what was expected and found."""


def accept(
    session: Session,
    suite: Suite,
    check_name: str,
    month: date,
    *,
    reason: str,
    accepted_by: str,
    accepted_at: datetime,
) -> Acceptance:
    """Allow a failed check for one month; return the acceptance that was stored.

    `accepted_at` has a time zone.

    Raises:
        CannotAccept: the check does not block, passed, could not run, did not run on the last write, or the reason or the
            name is empty.

    """
    place = f"{suite.asset}, {month:%Y-%m}, {check_name}"
    blocking = sorted(check.name for check in suite.checks if check.severity == "error")
    if check_name not in blocking:
        raise CannotAccept(f"{place}: expected a check that blocks, one of {', '.join(blocking)}, found another")
    if not reason.strip() or not accepted_by.strip():
        raise CannotAccept(f"{place}: expected a reason and a name, found {reason!r} and {accepted_by!r}")
    checked = (suite.asset, month)
    verdict = verdicts_on(session, [checked]).get((*checked, check_name))
    if verdict is None:
        raise CannotAccept(f"{place}: expected a failed check, found one that never ran. Run the checks first.")
    if verdict["snapshot"] != last_writes(session, {suite.asset: suite}, [checked]).get(checked):
        raise CannotAccept(f"{place}: expected a verdict on the last write, found an older one. Run the checks again.")
    if verdict["errored"]:
        raise CannotAccept(f"{place}: expected a failed check, found one that could not run: {verdict['error']}")
    if verdict["passed"]:
        raise CannotAccept(f"{place}: expected a failed check, found one that passed")
    acceptance = Acceptance(
        suite.asset,
        month,
        check_name,
        reason.strip(),
        accepted_by.strip(),
        accepted_at.astimezone(UTC).replace(tzinfo=None),
        verdict["snapshot"],
        verdict["unexpected_count"],
        verdict["element_count"],
    )
    record_acceptance(session, acceptance)
    return acceptance


def records(session: Session, month: date) -> list[dict[str, object]]:
    """Return one record for each acceptance of a month; `in_force` is whether it still holds."""
    accepted = acceptances_of(session, [month])
    verdicts = verdicts_on(session, [(asset, month) for asset, _, _ in accepted])
    writes = last_writes(session, SUITES, [(asset, month) for asset, _, _ in accepted if asset in SUITES])
    return [
        {
            **asdict(acceptance),
            "in_force": key in verdicts
            and writes.get((acceptance.asset, month)) == acceptance.snapshot
            and acceptance.covers(verdicts[key]),
        }
        for key, acceptance in accepted.items()
    ]


def lines(session: Session, month: date) -> Iterator[str]:
    """Yield one line for each acceptance of a month; it ends with `in force` or `void`."""
    for record in records(session, month):
        state = "in force" if record["in_force"] else "void"
        yield (
            f"{record['asset']}, {record['check_name']}: {record['unexpected_count']} of {record['element_count']}, accepted by "
            f"{record['accepted_by']} on {record['accepted_at']:%Y-%m-%d %H:%M} UTC: {record['reason']} ({state})"
        )
