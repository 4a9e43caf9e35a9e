"""What each write read, and what it recorded as its inputs: both sides of a comparison, while a graph runs."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl
import pytest

from sf_assets.engine.storage import Session, Write
from sf_assets.engine.storage.inputs import AssetMonth
from sf_assets.vocabulary.schema import Table

# All months of a table.
ALL: frozenset[date] = frozenset()


@dataclass(frozen=True)
class Step:
    """One write: its tables and months, the months of each table that it read, and the inputs that each month recorded."""

    tables: tuple[str, ...]
    months: tuple[date, ...]
    by_query: bool
    read: Mapping[str, frozenset[date]]
    recorded: Mapping[date, frozenset[AssetMonth]]


@dataclass
class Reads:
    """Record the steps of every session. A query reads what it names; code reads whatever it bound since the last write."""

    steps: list[Step] = field(default_factory=list)
    # Sessions are preserved, so that no two have the same identity.
    _views: dict[int, tuple[Session, dict[str, frozenset[date]], set[str]]] = field(default_factory=dict)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        bind, replace = Session._bind, Session.replace

        def recorded_bind(session: Session, table: Table, *, months: Collection[date] | None, with_month: bool) -> None:
            bind(session, table, months=months, with_month=with_month)
            _, views, new = self._views.setdefault(id(session), (session, {}, set()))
            views[table.name] = ALL if months is None else frozenset(months)
            new.add(table.name)

        def recorded_replace(session: Session, writes: Mapping[Table, str | pl.DataFrame], **how) -> dict[str, Write]:  # type: ignore[no-untyped-def]
            self.steps.append(self._step(session, writes, how))
            written = replace(session, writes, **how)
            self._views.get(id(session), (session, {}, set()))[2].clear()
            return written

        patch.setattr(Session, "_bind", recorded_bind)
        patch.setattr(Session, "replace", recorded_replace)

    def _step(self, session: Session, writes: Mapping[Table, str | pl.DataFrame], how: Mapping) -> Step:  # type: ignore[type-arg]
        _, views, new = self._views.get(id(session), (session, {}, set()))
        texts = [query for query in writes.values() if isinstance(query, str)]
        by_query = len(texts) == len(writes) and not how.get("streamed")
        named = {name for name in views if any(re.search(rf"\b{name}\b", text) for text in texts)}
        months = how["where"]["month"]
        months = tuple(months) if isinstance(months, list | tuple) else (months,)
        return Step(
            tuple(table.name for table in writes if table not in how.get("shared", ())),
            months,
            by_query,
            {name: views[name] for name in (named if by_query else new)},
            {
                month: frozenset(read for read in session.inputs if month in session.readers.get(read, months))
                for month in months
            },
        )

    def of(self, tables: Collection[str]) -> Iterator[Step]:
        """Yield the steps that wrote any of these tables."""
        yield from (step for step in self.steps if set(step.tables) & set(tables))
