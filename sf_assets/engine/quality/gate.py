"""The gate: an asset asks it before it reads its inputs."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.quality.verdicts import require_passed
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.inputs import AssetMonth
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.schema import Table

NOTHING: Mapping[date, Collection[AssetMonth]] = MappingProxyType({})


@dataclass(frozen=True)
class Gate:
    """Opens for assets that passed their blocking checks; `suites` gives the checks of each asset, by name.

    Assets `outside` are no part of the deployment: their tables read as empty, and nothing waits for them.
    """

    suites: Mapping[str, Suite]
    outside: frozenset[str] = frozenset()

    def require(
        self,
        session: Session,
        reads: Iterable[AssetMonth],
        *,
        by_month: Mapping[date, Collection[AssetMonth]] = NOTHING,
        absent: Collection[AssetMonth] = (),
    ) -> None:
        """Return when these assets and months passed their blocking checks on their last write, and none is stale.

        Until its next write the session then reads the snapshot that was checked, and that write records these inputs: every
        month of it those of `reads`, and each month its own of `by_month`. `absent` are those of them that were never
        computed: they are read as empty, and make their reader stale once they are computed.

        Raises:
            Blocked: names each asset, month and check that never ran, is outdated, raised an error or failed, and what to do.

        """
        by_month = {month: self._inside(of_month) for month, of_month in by_month.items()}
        own = {read for of_month in by_month.values() for read in of_month}
        checked = self.check(session, [*reads, *sorted(own.difference(absent))])
        delivered = {f"src_{name.removeprefix('stg_')}": day for name, day in checked if name.startswith("stg_")}
        # A staging table is recorded in place of the files it was read from: equal files delivered again make nothing stale.
        session.inputs |= {read: snapshot for read, snapshot in checked.items() if delivered.get(read[0]) != read[1]}
        session.inputs |= dict.fromkeys(absent)
        for month, of_month in by_month.items():
            for read in of_month:
                session.readers.setdefault(read, set()).add(month)

    def check(self, session: Session, reads: Iterable[AssetMonth]) -> dict[AssetMonth, int | None]:
        """Check assets that a step does not read itself; return the snapshot that wrote each, None without a row."""
        session.pin()
        return require_passed(session, self._inside(reads), self.suites)

    def _inside(self, reads: Iterable[AssetMonth]) -> list[AssetMonth]:
        return [read for read in reads if read[0] not in self.outside]

    def newest_passed(self, session: Session, table: Table, before: date) -> date | None:
        """Return the newest month before `before` in which a table passed its checks, and record it as an input; or None."""
        for month in reversed(session.months(table.name)):
            if month < before:
                try:
                    self.require(session, [(table.name, month)])
                except Blocked:
                    continue
                return month
        return None

    def table(self, name: str) -> Table:
        """Return the table of an asset."""
        table = self.suites[name].table
        if table is None:
            raise LookupError(f"{name}: expected an asset with a table, found one without")
        return table
