"""Where each column comes from: from a score back to the column of a delivered file, as `make docs` wrote it down."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

RECORD = files("sf_assets.engine") / "lineage.csv"

# A table and one of its columns; `src_<source>` and a header for a delivered file.
Field = tuple[str, str]
# The fields that each field is made of.
Lineage = Mapping[Field, tuple[Field, ...]]


@cache
def recorded() -> Lineage:
    """Read the lineage that was written down."""
    found: dict[Field, tuple[Field, ...]] = {}
    for row in csv.DictReader(RECORD.read_text(encoding="utf-8").splitlines()):
        field = row["table"], row["column"]
        found[field] = (*found.get(field, ()), (row["from_table"], row["from_column"]))
    return found


def made_of(table: str) -> dict[str, tuple[Field, ...]]:
    """Return what each column of a table is made of, one step back."""
    return {column: origins for (name, column), origins in recorded().items() if name == table}


def back_to_files(field: Field, lineage: Lineage | None = None) -> tuple[Field, ...]:
    """Return the columns of delivered files that a field comes from, in order."""
    known = recorded() if lineage is None else lineage
    met, todo = {field}, [field]
    while todo:
        for origin in known.get(todo.pop(), ()):
            if origin not in met:
                met.add(origin)
                todo.append(origin)
    return tuple(sorted(origin for origin in met if origin[0].startswith("src_")))
