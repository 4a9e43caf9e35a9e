"""The legal basis of each table, and whether it identifies companies or people."""

from collections.abc import Iterable
from functools import cache

import dagster as dg

from sf_assets.catalogue.tables import TABLES
from sf_assets.engine.lineage import column_origins, trace_to_files
from sf_assets.engine.materialization import tag_value
from sf_assets.sources.registry import SOURCES
from sf_assets.staging.tables import IMPORTS, QUARANTINE
from sf_assets.vocabulary.schema import Table

_BASES = {f"src_{source.name}": source.legal_basis for source in SOURCES}
# The strictest basis is last: a table may be used only as all of its sources allow.
_STRICTER = (
    "open data",
    "rules of access signed by the partners",
    "convention with the producer",
    "contract with the provider",
    "tax secrecy, convention with the producer",
)


@cache
def legal_bases(table: str) -> tuple[str, ...]:
    """Return the legal bases of the files from which a table is computed, the strictest last.

    A table whose columns cannot be traced to files gets all of them, since it may hold data of any file.
    """
    files = {origin for column in column_origins(table) for origin, _ in trace_to_files((table, column))}
    bases = {_BASES[file] for file in files & _BASES.keys()} or set(_BASES.values())
    return tuple(sorted(bases, key=_STRICTER.index))


def basis_of(sources: Iterable[str]) -> str:
    """Return the strictest legal basis of some sources."""
    return max((_BASES[f"src_{source}"] for source in sources), key=_STRICTER.index)


def confidentiality(table: Table) -> str:
    """Return `identifiers` when a column identifies a company or a person, otherwise `aggregates`."""
    return "identifiers" if any(column.identifies for column in table.columns) else "aggregates"


def with_confidentiality(assets: Iterable[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """Return the assets with tags and metadata for the legal basis and the confidentiality of their table."""

    def tagged(spec: dg.AssetSpec) -> dg.AssetSpec:
        table = _stored(spec.key.to_user_string())
        if table is None:
            return spec
        bases = legal_bases(table.name)
        return spec.merge_attributes(
            tags={"legal_basis": tag_value(bases[-1]), "confidentiality": confidentiality(table)},
            metadata={"legal_bases": "; ".join(bases)},
        )

    return list(dg.map_asset_specs(tagged, assets))


def _stored(name: str) -> Table | None:
    return TABLES.get(name) or {table.name: table for table in (IMPORTS, QUARANTINE)}.get(name)
