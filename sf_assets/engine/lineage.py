"""Column lineage: the columns that each column is computed from, back to delivered files. `make docs` writes the file."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LINEAGE_FILE = files("sf_assets.engine") / "lineage.csv"

# A table and one of its columns; for a delivered file, `src_<source>` and one name of its header.
Field = tuple[str, str]
# The fields that each field is computed from.
Lineage = Mapping[Field, tuple[Field, ...]]


@cache
def load_lineage() -> Lineage:
    """Return the lineage stored in `lineage.csv`: one entry per field."""
    lineage: dict[Field, tuple[Field, ...]] = {}
    for row in csv.DictReader(LINEAGE_FILE.read_text(encoding="utf-8").splitlines()):
        field = row["table"], row["column"]
        lineage[field] = (*lineage.get(field, ()), (row["from_table"], row["from_column"]))
    return lineage


def column_origins(table: str) -> dict[str, tuple[Field, ...]]:
    """Return the fields that each column of a table is directly computed from."""
    return {column: origins for (name, column), origins in load_lineage().items() if name == table}


def trace_to_files(field: Field, lineage: Lineage | None = None) -> tuple[Field, ...]:
    """Return the columns of delivered files that a field comes from, sorted."""
    origins_by_field = load_lineage() if lineage is None else lineage
    visited, pending = {field}, [field]
    while pending:
        for origin in origins_by_field.get(pending.pop(), ()):
            if origin not in visited:
                visited.add(origin)
                pending.append(origin)
    return tuple(sorted(origin for origin in visited if origin[0].startswith("src_")))
