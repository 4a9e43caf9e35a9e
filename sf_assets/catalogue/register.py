"""The register of processing: for each column why it is there, where it comes from, on which basis, who sees it, how long.

Everything derives from declarations: lineage, bases of the sources, scopes of columns and features, times of retention.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from sf_assets.catalogue.confidentiality import basis_of, legal_bases
from sf_assets.catalogue.retention import keep_of
from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.engine.lineage import Field, load_lineage, trace_to_files
from sf_assets.engine.quality.acceptances import CHECK_ACCEPTANCES
from sf_assets.engine.quality.tables import CHECK_VERDICTS
from sf_assets.engine.storage.inputs import ASSET_INPUTS
from sf_assets.features.registry import BY_NAME
from sf_assets.lists.columns import HEADERS
from sf_assets.lists.tables import ALERTS, LIST_VERSIONS
from sf_assets.publication.tables import PUBLICATION
from sf_assets.sources.registry import BY_NAME as SOURCES
from sf_assets.vocabulary.schema import Column, Table
from sf_assets.vocabulary.scopes import SCOPE_OF_SOURCE

TEAM = "the team"
# Why tables exist: by name, otherwise by the first word of the name, which is their layer.
_PURPOSES: Mapping[str, str] = MappingProxyType({
    "stg_acces": "decide who may see what of a list",
    "list_answers": "say beside the next list what officers answered, and measure lists; answers never become features",
    "stg_retour": "measure whether lists help; answers never become features",
    "src": "know which files were delivered",
    "stg": "compare deliveries, correct refused records, compute clean tables",
    "clean": "know the state of each company, to compute features",
    "feat": "estimate the risk of failure, and state its reasons",
    "model": "estimate the risk of failure, and measure how well",
    "list": "offer help to the companies in alert",
    "eval": "measure whether methods, sources and lists are useful",
    "check": "stop a month that is wrong",
    "siren": "leave companies out that are not followed",
    "perimeter": "explain who is followed",
    "import": "explain what was loaded",
    "asset": "know what is out of date",
    "status": "tell operators where each month stands",
    "erasures": "prove that a person was erased, without naming them",
})  # fmt: skip
_LISTED = {header.column: header for header in HEADERS}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the register: a table, a column, and the five answers about it; none may be empty."""

    table: str
    column: str
    purpose: str
    source: str
    basis: str
    seen_by: str
    kept: str


def entries() -> Iterator[Entry]:
    """Yield the entry of every column of every stored table."""
    for table in stored_tables():
        keep = keep_of(table.name)
        for column in table.columns:
            origins = dict.fromkeys(name for name, _ in trace_to_files((table.name, column.name)))
            files = [name.removeprefix("src_") for name in origins if name.removeprefix("src_") in SOURCES]
            yield Entry(
                table.name,
                column.name,
                _purpose(table, column),
                ", ".join(files) or "computed by the system",
                basis_of(files) if files else legal_bases(table.name)[-1],
                _seen_by(table, column),
                f"{keep.months} months: {keep.reason}",
            )


def stored_tables() -> list[Table]:
    """Return every declared table of the warehouse, once."""
    judged = [suite.table for suite in SUITES.values() if suite.table]
    ledgers = [CHECK_VERDICTS, CHECK_ACCEPTANCES, ASSET_INPUTS, LIST_VERSIONS]
    return list({table.name: table for table in (*TABLES.values(), *judged, *ledgers)}.values())


def _purpose(table: Table, column: Column) -> str:
    """Return why the table exists, and what the column does in it: names a row, is read by features or lists."""
    purpose = _PURPOSES.get(table.name) or _PURPOSES.get(table.name.partition("_")[0])
    if purpose is None:
        raise KeyError(f"{table.name}: expected a purpose in catalogue/register.py, found none")
    uses = []
    if column.name in table.key:
        uses.append("names the row")
    if read := sorted({name for name, _ in _readers().get((table.name, column.name), ())}):
        uses.append(f"read by {', '.join(read)}")
    return "; ".join([purpose, *uses])


@cache
def _readers() -> dict[Field, set[Field]]:
    """Return the columns that are computed from each column."""
    readers: dict[Field, set[Field]] = {}
    for field, origins in load_lineage().items():
        for origin in origins:
            if origin[0] != field[0]:
                readers.setdefault(origin, set()).add(field)
    return readers


def _seen_by(table: Table, column: Column) -> str:
    """Return who sees the column: the team always, recipients what their scopes cover."""
    if table == ALERTS and column.name in _LISTED:
        scopes = sorted(_LISTED[column.name].scopes)
        return f"{TEAM}; recipients of the list" + (f" with {', '.join(scopes)}" if scopes else "")
    if table.name == "feat_matrix" and column.name in BY_NAME:
        needed = sorted({SCOPE_OF_SOURCE[source] for source in BY_NAME[column.name].sources} - {""})
        return f"{TEAM}; as a reason, recipients" + (f" with {', '.join(needed)}" if needed else "")
    if table == PUBLICATION and column.name in ("version", "reason", "entrees", "sorties", "deplacees"):
        return f"{TEAM}; recipients, on the sheet *Lisez-moi*"
    return TEAM
