"""Accepting a failed check for one month: python -m sf_assets.operations.acceptance accept, or list."""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality.acceptances import Acceptance, acceptances_of, record_acceptance
from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.quality.verdicts import last_writes, verdicts_on
from sf_assets.engine.storage import Session, Warehouse
from sf_assets.settings import Settings, resources_for
from sf_assets.vocabulary.partitions import month_argument


class CannotAccept(ValueError):
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


def told(session: Session, month: date) -> Iterator[str]:
    """Yield one line for each acceptance of a month, with whether it still holds."""
    given = acceptances_of(session, [month])
    verdicts = verdicts_on(session, [(asset, month) for asset, _, _ in given])
    writes = last_writes(session, SUITES, [(asset, month) for asset, _, _ in given if asset in SUITES])
    for (asset, _, check), one in given.items():
        verdict = verdicts.get((asset, month, check))
        holds = verdict is not None and writes.get((asset, month)) == one.snapshot and one.covers(verdict)
        yield (
            f"{asset}, {check}: {one.unexpected_count} of {one.element_count}, accepted by {one.accepted_by} on "
            f"{one.accepted_at:%Y-%m-%d %H:%M} UTC: {one.reason} ({'in force' if holds else 'void'})"
        )


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks for; return 1 when it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m sf_assets.operations.acceptance", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    accepting = actions.add_parser("accept", help="let a month go on although a check refuses it")
    accepting.add_argument("--asset", required=True, choices=sorted(SUITES), metavar="ASSET")
    accepting.add_argument("--check", required=True, help="name of the failed check")
    accepting.add_argument("--reason", required=True, help="why the month goes on all the same")
    accepting.add_argument("--by", required=True, help="name of who answers for it")
    for action in (accepting, actions.add_parser("list", help="show what was accepted for a month")):
        action.add_argument("--month", type=month_argument, required=True, help="month of the batch, AAAA-MM")
    given = parser.parse_args(arguments)
    warehouse: Warehouse = resources_for(Settings.from_environment())["warehouse"]  # type: ignore[assignment]
    with warehouse.session() as session:
        if given.action == "accept":
            try:
                accept(
                    session,
                    SUITES[given.asset],
                    given.check,
                    given.month,
                    reason=given.reason,
                    accepted_by=given.by,
                    accepted_at=datetime.now(UTC),
                )
            except CannotAccept as error:
                sys.stderr.write(f"{error}\n")
                return 1
        for line in told(session, given.month):
            sys.stdout.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
