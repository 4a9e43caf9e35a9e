"""What each stored column is used for, and those that serve nothing, which the setting `dropped_columns` may leave out.

A column is used when it is a key, when a check names it, or when a query or module that names its table names it too: it may
be computed with, filtered on, joined on, or handed to the application in the export of clean tables. The source of a column is
measured besides, as a whole: `eval_utility`.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from sf_assets.catalogue.queries import COMPLETED, table_query
from sf_assets.catalogue.register import stored_tables
from sf_assets.catalogue.tables import TABLES
from sf_assets.engine.lineage import Field, load_lineage
from sf_assets.features.registry import NAMES
from sf_assets.features.tables import MATRIX
from sf_assets.lists.tables import ALERTS
from sf_assets.sources.description import Source
from sf_assets.sources.registry import BY_NAME, SOURCES
from sf_assets.sources.retour import RETOUR

# Where columns are declared or described, not used.
_NOT_USERS = {"catalogue", "vocabulary", "commands"}
# Free texts are for people to read.
_READ_BY_THE_TEAM = {(RETOUR.table, "aide"), (RETOUR.table, "remarque")}
_WORD = re.compile(r"\w+")
_WHOLE_ROWS = re.compile(r"""(?:\*|[("'])\s*from (?:lake\.)?(\w+)""")


@cache
def uses() -> Mapping[Field, tuple[str, ...]]:
    """Return what each column of each stored table is used for, in order of table and column; empty when it serves nothing."""
    found: dict[Field, tuple[str, ...]] = {}
    for table in stored_tables():
        source = BY_NAME.get(table.name.removeprefix("stg_")) if table.name.startswith("stg_") else None
        keys = {*table.key, *(_keys_of(source) if source else ())}
        checks = {rule.name: {*_WORD.findall(str(rule.arguments))} for rule in table.rules}
        readers = [(name, words) for name, words, whole in _modules() if table.name in words and name != table.name]
        whole = [name for name, _, rows in _modules() if table.name in rows]
        for column in table.columns:
            found[table.name, column.name] = (
                *(["key"] if column.name in keys else []),
                *(["read by the team"] if (table.name, column.name) in _READ_BY_THE_TEAM else []),
                *(f"check {name}" for name, words in checks.items() if column.name in words),
                *dict.fromkeys([name for name, words in readers if column.name in words] + whole),
            )
    return found


def reached(field: Field) -> list[str]:
    """Return the features and the columns of lists that are computed from a column."""
    readers: dict[Field, list[Field]] = {}
    for made, origins in load_lineage().items():
        for origin in origins:
            readers.setdefault(origin, []).append(made)
    visited, pending = {field}, [field]
    while pending:
        for reader in readers.get(pending.pop(), ()):
            if reader not in visited:
                visited.add(reader)
                pending.append(reader)
    ends = {name for table, name in visited - {field} if table == MATRIX.name and name in NAMES}
    return sorted(ends | {f"{table}.{name}" for table, name in visited - {field} if table == ALERTS.name})


def unused(source: Source) -> list[str]:
    """Return the columns of the staging table of a source that serve nothing."""
    return [column for (table, column), users in uses().items() if table == source.table and not users]


def require_droppable(names: tuple[str, ...]) -> None:
    """Return when columns named `stg_<source>.<column>` serve nothing.

    Raises:
        ValueError: there is no such column, or it is used; the message says by what.

    """
    tables = {source.table for source in SOURCES}
    for name in names:
        table, _, column = name.partition(".")
        if table not in tables or (table, column) not in uses():
            raise ValueError(f"expected columns of staging, stg_<source>.<column>, and {name} is none")
        if users := uses()[table, column]:
            raise ValueError(f"expected columns that serve nothing, and {name} is used: {', '.join(users)}")


def _keys_of(source: Source) -> set[str]:
    """Return the columns by which records of a source are identified, placed or put in order."""
    return {
        source.key,
        *source.unique,
        *(source.account or ()),
        *(("file_number", "line") if source.keeps_line else ()),
    }


@cache
def _modules() -> tuple[tuple[str, frozenset[str], frozenset[str]], ...]:
    """Return the name of each query and module, the words in it, and the tables whose whole rows it reads."""
    return tuple(
        (path.name.partition(".")[0], frozenset(_WORD.findall(text)), frozenset(_WHOLE_ROWS.findall(text)))
        for path, text in _files(files("sf_assets"))
    )


def _files(folder: Traversable) -> Iterator[tuple[Traversable, str]]:
    """Yield each query and module with its text; a query that others complete, as its asset runs it."""
    for path in sorted(folder.iterdir(), key=lambda one: one.name):
        if path.is_dir() and path.name not in _NOT_USERS:
            yield from _files(path)
        elif folder.name in COMPLETED and path.name.endswith(".sql") and path.name.removesuffix(".sql") in TABLES:
            yield path, table_query(folder.name, path.name.removesuffix(".sql")).text
        elif path.name.endswith((".sql", ".py")) and path.name != "__init__.py":
            yield path, path.read_text(encoding="utf-8")
