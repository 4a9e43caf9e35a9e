"""What an operator took upon themself: a failed check that no longer blocks one month, with a reason and a name.

An acceptance holds for the write of the rows that was judged, and for no more than what was refused then: the next
delivery, or a graver judgement of the same rows, makes it void. What could not be judged, or was not, is never accepted:
nobody knows what it would let through.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from sf_assets.engine.storage import Session, frame_of
from sf_assets.vocabulary.schema import Column, Table

CHECK_ACCEPTANCES = Table(
    "check_acceptances",
    "the last acceptance of one failed check on one asset for the month",
    (
        Column("asset", "VARCHAR", "asset that was judged"),
        Column("check_name", "VARCHAR", "rule or probe that refused the month"),
        Column("reason", "VARCHAR", "why the month goes on all the same"),
        Column("accepted_by", "VARCHAR", "name of who answers for it"),
        Column("accepted_at", "TIMESTAMP", "when, UTC"),
        Column("snapshot", "BIGINT", "snapshot that wrote the rows judged; another write makes the acceptance void"),
        Column("unexpected_count", "BIGINT", "what the check refused then; more makes it void", unit="row"),
        Column("element_count", "BIGINT", "what the check looked at then", unit="row"),
    ),
    key=("asset", "check_name"),
    may_be_empty=True,
)

_HELD = """
    select asset, month, check_name, reason, accepted_by, accepted_at, snapshot, unexpected_count, element_count
    from lake.check_acceptances where month = any($months) order by month, asset, check_name
"""
# Which month of which asset, and which check.
CheckKey = tuple[str, date, str]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One acceptance: of which check, for which write and how much of it, why, by whom and when (UTC)."""

    asset: str
    month: date
    check_name: str
    reason: str
    accepted_by: str
    accepted_at: datetime
    snapshot: int | None
    unexpected_count: int
    element_count: int

    def covers(self, verdict: Mapping[str, Any]) -> bool:
        """Tell whether it still holds for a verdict, a row of `check_verdicts`."""
        return (
            not verdict["errored"]
            and verdict["snapshot"] == self.snapshot
            and verdict["unexpected_count"] <= self.unexpected_count
        )


def acceptances_of(session: Session, months: Sequence[date]) -> dict[CheckKey, Acceptance]:
    """Return the acceptances of some months, whether they still hold or not."""
    try:
        found = session.connection.execute(_HELD, {"months": list(months)}).fetchall()
    except duckdb.CatalogException:  # Nothing was ever accepted.
        return {}
    return {(asset, month, check): Acceptance(asset, month, check, *rest) for asset, month, check, *rest in found}


def record_acceptance(session: Session, given: Acceptance) -> None:
    """Replace what was accepted of one check for one month."""
    session.replace(
        {CHECK_ACCEPTANCES: frame_of(CHECK_ACCEPTANCES, [asdict(given)])},
        where={"month": given.month, "asset": given.asset, "check_name": given.check_name},
        author=given.accepted_by,
        message=f"{given.asset}, {given.check_name} accepted for {given.month:%Y-%m}",
    )
