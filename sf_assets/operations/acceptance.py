"""Acceptances: failed checks that an operator allows for one month, with a reason and a name."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality.acceptances import Acceptance, acceptances_of, record_acceptance
from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.quality.verdicts import last_writes, verdicts_on
from sf_assets.engine.storage import Session
from sf_assets.vocabulary.failures import UserError


class CannotAccept(UserError):
    """What is asked is not the acceptance of a failed check; the message says what was found instead."""


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
    """Let a month go on although a check refuses it; return what was recorded.

    `accepted_at` has a time zone.

    Raises:
        CannotAccept: the check does not block, passed, could not be judged, was not judged on the last write, or
            nobody answers for it with a reason.

    """
    place = f"{suite.asset}, {month:%Y-%m}, {check_name}"
    blocking = sorted(check.name for check in suite.checks if check.severity == "error")
    if check_name not in blocking:
        raise CannotAccept(f"{place}: expected a check that blocks, one of {', '.join(blocking)}, found another")
    if not reason.strip() or not accepted_by.strip():
        raise CannotAccept(f"{place}: expected a reason and a name, found {reason!r} and {accepted_by!r}")
    judged = (suite.asset, month)
    verdict = verdicts_on(session, [judged]).get((*judged, check_name))
    if verdict is None:
        raise CannotAccept(f"{place}: expected a failed check, found one never judged. Run the checks first.")
    if verdict["snapshot"] != last_writes(session, {suite.asset: suite}, [judged]).get(judged):
        raise CannotAccept(
            f"{place}: expected a judgement of the last write, found an older one. Run the checks again."
        )
    if verdict["errored"]:
        raise CannotAccept(f"{place}: expected a failed check, found one that could not be judged: {verdict['error']}")
    if verdict["passed"]:
        raise CannotAccept(f"{place}: expected a failed check, found one that passed")
    given = Acceptance(
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
    record_acceptance(session, given)
    return given


def records(session: Session, month: date) -> list[dict[str, object]]:
    """Return the acceptances of a month as records, each with whether it still holds."""
    accepted = acceptances_of(session, [month])
    verdicts = verdicts_on(session, [(asset, month) for asset, _, _ in accepted])
    writes = last_writes(session, SUITES, [(asset, month) for asset, _, _ in accepted if asset in SUITES])
    return [
        {
            **asdict(one),
            "in_force": judged in verdicts
            and writes.get((one.asset, month)) == one.snapshot
            and one.covers(verdicts[judged]),
        }
        for judged, one in accepted.items()
    ]


def lines(session: Session, month: date) -> Iterator[str]:
    """Yield one line for each acceptance of a month, with whether it still holds."""
    for one in records(session, month):
        state = "in force" if one["in_force"] else "void"
        yield (
            f"{one['asset']}, {one['check_name']}: {one['unexpected_count']} of {one['element_count']}, accepted by "
            f"{one['accepted_by']} on {one['accepted_at']:%Y-%m-%d %H:%M} UTC: {one['reason']} ({state})"
        )
