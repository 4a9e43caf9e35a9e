"""Under which legal basis a table is held, and whether it identifies anybody."""

from functools import cache

from sf_assets.engine.lineage import back_to_files, made_of
from sf_assets.sources import SOURCES
from sf_assets.vocabulary.schema import Table

_BASES = {f"src_{source.name}": source.legal_basis for source in SOURCES}
# The strictest comes last: what a table may be used for is what all of its sources allow.
_STRICTER = (
    "open data",
    "convention with the producer",
    "contract with the provider",
    "tax secrecy, convention with the producer",
)


@cache
def legal_bases(table: str) -> tuple[str, ...]:
    """Return the legal bases of the files that a table is made of, the strictest last.

    A table whose columns are not traced back to files may hold anything: it has them all.
    """
    files = {origin for column in made_of(table) for origin, _ in back_to_files((table, column))}
    bases = {_BASES[file] for file in files & _BASES.keys()} or set(_BASES.values())
    return tuple(sorted(bases, key=_STRICTER.index))


def confidentiality(table: Table) -> str:
    """Tell whether a table identifies companies or people, or holds nothing but figures about many of them."""
    return "identifiers" if any(column.identifies for column in table.columns) else "aggregates"
