"""Erasure of one natural person on request: every row that names it, with the same proof as retention, and an anonymous trace."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality.carrying import carry_verdicts, checked_writes
from sf_assets.engine.storage import Session, Warehouse, frame_of
from sf_assets.engine.storage.retention import (
    catalog_identifiers,
    conditions_of_company,
    delete_rows,
    files_with_identifiers,
    remember_company,
    remove_files,
)
from sf_assets.engine.storage.shape import lake_name
from sf_assets.publication.versions import published_snapshots, published_versions
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.fields import SIREN
from sf_assets.vocabulary.schema import Column, Table

ERASURES = Table(
    "erasures",
    "one natural person erased on request, without its identity",
    (
        Column("erased_at", "TIMESTAMP", "time of the act, UTC", non_identifying=True),
        Column("erased_by", "VARCHAR", "name of the person who answers for it"),
        Column("reason", "VARCHAR", "why: the number of a request, never a name"),
        Column("erased_tables", "BIGINT", "tables that named the person", unit="table", non_identifying=True),
        Column("erased_rows", "BIGINT", "rows erased", unit="row", non_identifying=True),
    ),
    may_be_empty=True,
)
_NATURAL = "select 1 from lake.clean_sirene_ul where siren = $1 and categorie_juridique like '1%' limit 1"
_LISTED = "select count(*) from lake.list_alerts where siren = $1 and month = $2 and version = $3"


@dataclass(frozen=True, slots=True)
class Erasure:
    """The result of an erasure, or of its dry run; `published` counts the published lists that name the person."""

    done: bool
    tables: int
    rows: int
    published: int
    left: tuple[str, ...] = ()
    in_catalog: int = 0

    @property
    def clean(self) -> bool:
        """Whether neither a file nor the catalog names the person any more, besides published lists."""
        return not self.left and not self.in_catalog

    @property
    def summary(self) -> str:
        """The counts, in one line."""
        what = f"{self.rows} rows of {self.tables} tables"
        kept = f"; {self.published} published lists, and what they were made from, name the person until they are past their time"
        if not self.done:
            return f"dry run: {what} name the person{kept}"
        proof = (
            "no other file of the warehouse and no statistic of its catalog names it any more"
            if self.clean
            else f"NOT CLEAN: {len(self.left)} files and {self.in_catalog} statistics of the catalog still do"
        )
        return f"erased: {what}{kept}; {proof}"


def erase_person(
    warehouse: Warehouse, siren: str, *, by: str, reason: str, at: datetime, dry_run: bool = True
) -> Erasure:
    """Erase every row that names a natural person, or count them. Nothing else may run meanwhile; `at` has a time zone.

    Raises:
        UserError: the siren is malformed or not that of a natural person, there is no name or reason, or the reason names
            the siren.

    """
    if not re.fullmatch(SIREN, siren):
        raise UserError("siren: expected 9 digits, found something else")
    if not by.strip() or not reason.strip() or siren in reason:
        raise UserError(
            "erasure: expected a name, and a reason that does not name the person. State the request's number."
        )
    with warehouse.session() as session:
        conditions = conditions_of_company(session, siren)
        if "clean_sirene_ul" not in conditions or not session.connection.execute(_NATURAL, [siren]).fetchall():
            raise UserError(
                "siren: expected a natural person of clean_sirene_ul (legal category 1…), found none. A company is not erased."
            )
        rows = sum(
            session.connection.execute(f"select count(*) from {lake_name(table)} where {condition}").fetchall()[0][0]
            for table, condition in conditions.items()
        )
        published = _published(session, siren) if "list_alerts" in conditions else 0
        if dry_run:
            return Erasure(done=False, tables=len(conditions), rows=rows, published=published)
        remember_company(session, siren)
        before = checked_writes(session, SUITES)
        delete_rows(session, conditions)
        carry_verdicts(session, SUITES, before)
        _record(session, by, reason, at, tables=len(conditions), rows=rows)
        kept = published_snapshots(session)
        remove_files(session, kept)
        left = files_with_identifiers(session, kept, anywhere=True)
        in_catalog = catalog_identifiers(session, kept, anywhere=True)
    return Erasure(done=True, tables=len(conditions), rows=rows, published=published, left=left, in_catalog=in_catalog)


def _published(session: Session, siren: str) -> int:
    """Return how many published lists name a company."""
    found = (
        session.connection.execute(_LISTED, [siren, one.month, one.list_version]).fetchall()[0][0]
        for one in published_versions(session)
    )
    return sum(map(bool, found))


def _record(session: Session, by: str, reason: str, at: datetime, *, tables: int, rows: int) -> None:
    """Add the act to the acts of its month."""
    month = at.date().replace(day=1)
    session.bind({ERASURES: month})
    acts = session.connection.execute("from erasures").pl().to_dicts()
    act = {
        "erased_at": at.astimezone(UTC).replace(tzinfo=None),
        "erased_by": by.strip(),
        "reason": reason.strip(),
        "erased_tables": tables,
        "erased_rows": rows,
    }
    session.replace(
        {ERASURES: frame_of(ERASURES, [*acts, act])}, where={"month": month}, author=by.strip(), message="an erasure"
    )
