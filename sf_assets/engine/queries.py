"""Reading of `.sql` files: one query each. Its header describes the table; its `from` clauses are the dependencies."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable

import sqlglot
from sqlglot import expressions as exp

from sf_assets.engine.sql import NOTHING, read_text

_PARAMETER = re.compile(r"\$([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Query:
    """One query: its name, text, header comment, selected columns, tables it reads, parameters it binds and digest."""

    name: str
    text: str
    header: str
    columns: tuple[str, ...]
    reads: tuple[str, ...]
    parameters: frozenset[str]
    digest: str

    def bind_values(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return the values of the query's parameters, taken from `values`.

        Raises:
            KeyError: a parameter has no value; names it.

        """
        missing = self.parameters - values.keys()
        if missing:
            raise KeyError(f"{self.name}.sql: expected a value for ${', $'.join(sorted(missing))}, found none")
        return {name: values[name] for name in self.parameters}


def read_query(folder: Traversable, name: str, parts: Mapping[str, str] = NOTHING) -> Query:
    """Return the query of `<name>.sql` in a package folder, with `parts` in the places that it leaves open."""
    text = read_text(folder, name, parts)
    header = " ".join(
        line.removeprefix("--").strip() for line in text.split("\n\n")[0].splitlines() if line[:2] == "--"
    )
    columns, reads = _columns_and_reads(_PARAMETER.sub("null", text))
    body = "\n".join(line.split("--")[0].rstrip() for line in text.splitlines())
    return Query(
        name=name,
        text=text,
        header=header,
        columns=columns,
        reads=reads,
        parameters=frozenset(_PARAMETER.findall(body)),
        digest=hashlib.sha256(body.encode()).hexdigest()[:12],
    )


# Tables, assets and pages each ask for the same queries, and parsing them is most of the start of a process.
@cache
def _columns_and_reads(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns that a query selects, and the tables that it reads."""
    tree = sqlglot.parse_one(text, dialect="duckdb")
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    reads = dict.fromkeys(table.name for table in tree.find_all(exp.Table) if table.name and table.name not in ctes)
    return _selected(tree), tuple(reads)


def _selected(tree: exp.Expr) -> tuple[str, ...]:
    """Return the names that a query selects, those of its subquery for `select * from subquery`."""
    if not isinstance(tree, exp.Query):
        return ()
    names = tuple(tree.named_selects)
    if names == ("*",) and (read := tree.find(exp.From)):
        inner = [cte.this for cte in tree.ctes if cte.alias == read.this.name]
        return _selected(inner[0]) if inner else names
    return names
