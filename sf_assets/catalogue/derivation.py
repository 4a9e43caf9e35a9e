"""The lineage of columns, derived from the queries.

It takes seconds, so that `make docs` writes it to `lineage.csv`, which runs read; a test compares the two. A query whose
columns cannot be followed one by one is refused: a lost origin would otherwise go unnoticed.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files

import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from sf_assets.catalogue.queries import table_query
from sf_assets.catalogue.tables import TABLES
from sf_assets.engine.lineage import Field, Lineage
from sf_assets.features.registry import NAMES
from sf_assets.lists.scored import COMPANIES
from sf_assets.sources.log import LOG
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import SOURCES
from sf_assets.staging.tables import STAGING, query_of
from sf_assets.vocabulary.schema import Table

_PARAMETER = re.compile(r"\$[a-z_]+")
_OF_THE_RECORD = {"file": "VARCHAR", "file_number": "BIGINT", "line": "BIGINT", "raw": "VARCHAR"}
_SCORED: Lineage = {
    ("model_scores", "siren"): (("feat_matrix", "siren"),),
    ("model_scores", "methode"): (("model_fitted", "methode"),),
    ("model_scores", "probabilite"): (*(("feat_matrix", name) for name in NAMES), ("model_fitted", "version")),
    ("model_scores", "model_version"): (("model_fitted", "version"),),
    ("list_alerts", "niveau"): (
        ("model_fitted", "seuil_fort"), ("model_fitted", "seuil_modere"), ("model_scores", "probabilite"),
    ),
    ("list_alerts", "adresse"): (("clean_sirene", "adresse"),),
    ("list_alerts", "libelle_activite_principale"): (("clean_sirene_ul", "libelle_activite_principale"),),
    ("list_alerts", "deja_connue_depuis"): (("list_answers", "mois_liste"), ("list_answers", "utilite")),
    ("list_alerts", "derniere_reponse"): tuple(
        ("list_answers", name) for name in ("contactee", "contactee_le", "destinataire", "mois_liste", "recue", "utilite")
    ),
    ("list_alerts", "rang"): (("model_scores", "probabilite"),),
    **{(("list_alerts", f"motif_{n}")): tuple(("feat_matrix", name) for name in NAMES) for n in (1, 2, 3)},
}  # fmt: skip


class Untraceable(ValueError):
    """A query has an expression whose columns cannot be followed one by one."""


@cache
def derive() -> Lineage:
    """Return, for each column of each derived table, the columns from which it is computed."""
    lineage_of: dict[Field, tuple[Field, ...]] = {}
    labels = {table.name: _types(table) for table in label_tables.TABLES}
    for source in SOURCES:
        table = STAGING[source.name]
        headers = {cell.column: (f"src_{source.name}", cell.header) for cell in source.cells if cell.column}
        if source.wide:
            headers |= dict.fromkeys(("periode", source.wide), (f"src_{source.name}", "effAAAAXY"))
        cells = dict.fromkeys(headers, "VARCHAR") | _OF_THE_RECORD
        for field, origins in _of_query(
            table, query_of(source), {"cells": cells, "perimeter": {"siren": "VARCHAR"}, **labels}
        ):
            # Several cells may be members of one JSON object.
            lineage_of[field] = tuple(
                dict.fromkeys(headers[column] for name, column in origins if name == "cells" and column in headers)
            )
    known = {table.name: {"month": "DATE"} | _types(table) for table in TABLES.values()} | labels
    for table, query in _queries():
        lineage_of |= dict(_of_query(table, query, known))
    return {field: origins for field, origins in {**lineage_of, **_SCORED}.items() if origins}


def _queries() -> Iterator[tuple[Table, str]]:
    for layer in ("staging", "clean", "features", "model", "lists"):
        for path in sorted(files(f"sf_assets.{layer}").iterdir(), key=lambda path: path.name):
            name = path.name.removesuffix(".sql")
            # The import log is computed from the counts of a step, not from stored tables.
            if path.name.endswith(".sql") and name in TABLES and not name.startswith("stg_") and name != LOG.name:
                yield TABLES[name], table_query(layer, name).text
    yield TABLES["list_alerts"], COMPANIES


def _types(table: Table) -> dict[str, str]:
    return {column.name: column.type for column in table.columns}


def _of_query(
    table: Table, query: str, known: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[Field, tuple[Field, ...]]]:
    """Yield each column of a table that the query computes, with the columns of the tables it reads."""
    tree = sqlglot.parse_one(_PARAMETER.sub("null", query), dialect="duckdb")
    _refuse(table, tree.find_all(exp.Columns, exp.Pivot))
    _unname_windows(tree)
    _name_conditions(tree)
    whole = qualify(tree, schema=dict(known), dialect="duckdb", validate_qualify_columns=False)
    if not isinstance(whole, exp.Query):
        raise TypeError(f"{table.name}: expected one select, found {whole.key}")
    unnamed = (column for column in whole.find_all(exp.Column) if not column.table or isinstance(column.this, exp.Star))
    _refuse(table, (*whole.find_all(exp.TableColumn), *unnamed))
    scope = build_scope(whole)
    selected = {select.alias_or_name.lower() for select in whole.selects}
    for column in table.columns:
        if column.name in selected:
            nodes = lineage(column.name, whole, schema=dict(known), scope=scope, dialect="duckdb").walk()
            origins = {
                (node.source.name, node.name.rpartition(".")[2].strip('"'))
                for node in nodes
                if isinstance(node.source, exp.Table)
            }
            yield (table.name, column.name), tuple(sorted(origin for origin in origins if origin[0] in known))


def _refuse(table: Table, expressions: Iterable[exp.Expr]) -> None:
    """Refuse columns that are named by a pattern, unpivoted, or selected as a whole row.

    Raises:
        Untraceable: names the table and the first of these expressions.

    """
    for node in expressions:
        raise Untraceable(
            f"{table.name}: expected columns by their names, of tables that are known, found `{node.sql('duckdb')}`. Write "
            "them out: the lineage of columns cannot follow patterns, unpivots or whole rows."
        )


def _unname_windows(tree: exp.Expr) -> None:
    """Replace references to named windows by their definition: sqlglot ignores the partition and order of named windows."""
    for select in tree.find_all(exp.Select):
        named = {window.this.name: window for window in select.args.get("windows") or ()}
        for window in select.find_all(exp.Window):
            while window.parent_select is select and (base := named.get(window.alias)) is not None:
                window.set("alias", base.args.get("alias") and base.args["alias"].copy())
                for part in ("order", "spec"):
                    if window.args.get(part) is None and base.args.get(part) is not None:
                        window.set(part, base.args[part].copy())
                window.set("partition_by", [key.copy() for key in base.args.get("partition_by") or ()])
        select.set("windows", None)


def _name_conditions(tree: exp.Expr) -> None:
    """Replace each `exists` by an expression of the columns it compares, so that the lineage follows them."""
    for test in [*tree.find_all(exp.Exists)]:
        query = test.this.unnest()
        compared = [column.copy() for column in query.find_all(exp.Column)]
        query.set("expressions", [exp.func("max", exp.Tuple(expressions=compared))])
        test.replace(exp.Subquery(this=query.copy()))


def written() -> str:
    """Return the content of `lineage.csv`: one line per column and origin."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("table", "column", "from_table", "from_column"))
    lines.writerows((*field, *origin) for field, made_of in sorted(derive().items()) for origin in made_of)
    return text.getvalue()
