"""Operator overrides: a failed check allowed for one month, with a reason and a name.

An acceptance covers one write of the rows and the number of rows refused then: the next write, or a verdict that refuses
more rows, makes it void. A check that never ran or raised an error cannot be accepted: the state of its data is unknown.
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
        Column("asset", "VARCHAR", "asset that was checked"),
        Column("check_name", "VARCHAR", "name of the check that failed"),
        Column("reason", "VARCHAR", "why the month goes on all the same"),
        Column("accepted_by", "VARCHAR", "name of the person who answers for it"),
        Column("accepted_at", "TIMESTAMP", "time of the acceptance, UTC"),
        Column("snapshot", "BIGINT", "snapshot that wrote the checked rows; another write makes the acceptance void"),
        Column(
            "unexpected_count",
            "BIGINT",
            "rows that the check refused; a larger number makes the acceptance void",
            unit="row",
        ),
        Column("element_count", "BIGINT", "rows that the check read", unit="row"),
    ),
    key=("asset", "check_name"),
    may_be_empty=True,
)

_ACCEPTED = """
    select asset, month, check_name, reason, accepted_by, accepted_at, snapshot, unexpected_count, element_count
    from lake.check_acceptances where month = any($months) order by month, asset, check_name
"""
# An asset, a month and the name of a check.
CheckKey = tuple[str, date, str]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The acceptance of one failed check: the write and the number of rows it covers, its reason, author and time (UTC)."""

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
        """Return whether the acceptance still holds for a verdict, a row of `check_verdicts`."""
        return (
            not verdict["errored"]
            and verdict["snapshot"] == self.snapshot
            and verdict["unexpected_count"] <= self.unexpected_count
        )


def acceptances_of(session: Session, months: Sequence[date]) -> dict[CheckKey, Acceptance]:
    """Return the acceptances of `months`, those that are void included."""
    try:
        rows = session.connection.execute(_ACCEPTED, {"months": list(months)}).fetchall()
    except duckdb.CatalogException:  # The first acceptance creates the table.
        return {}
    return {(asset, month, check): Acceptance(asset, month, check, *rest) for asset, month, check, *rest in rows}


def record_acceptance(session: Session, acceptance: Acceptance) -> None:
    """Store the acceptance of one check for one month, in place of an earlier one."""
    session.replace(
        {CHECK_ACCEPTANCES: frame_of(CHECK_ACCEPTANCES, [asdict(acceptance)])},
        where={"month": acceptance.month, "asset": acceptance.asset, "check_name": acceptance.check_name},
        author=acceptance.accepted_by,
        message=f"{acceptance.asset}, {acceptance.check_name} accepted for {acceptance.month:%Y-%m}",
    )
