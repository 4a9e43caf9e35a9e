"""What every asset carries, and the metadata of what it wrote."""

import warnings
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from sf_assets.engine.lineage import made_of as origins_of
from sf_assets.engine.makers import digest_of
from sf_assets.engine.preview import counts, preview
from sf_assets.engine.queries import Query
from sf_assets.engine.storage import Session, Write
from sf_assets.vocabulary.labels import LABEL_TABLES
from sf_assets.vocabulary.partitions import add_months, months
from sf_assets.vocabulary.schema import OWNER, Table

# Ranges of months in one run, inputs of missing months and links to code are beta, and checks by month a preview: used on
# purpose, behind pinned versions and tests.
_UNSTABLE = (
    "`backfill_policy`",
    "partitions_def on an AssetCheckSpec",
    "`allow_nonexistent_upstream_partitions`",
    "`(CodeReferencesMetadataValue|LocalFileCodeReference|with_source_code_references)`",
)
warnings.filterwarnings("ignore", message=f".*({'|'.join(_UNSTABLE)})")

OWNERS = (OWNER,)


def stamp(
    table: Table,
    layer: str,
    *,
    description: str,
    kinds: set[str],
    query: Query | str = "",
    starts_from: str = "",
    made_in: str = "",
    made_with: Sequence[str] = (),
    data: Sequence[Path] = (),
) -> dict[str, Any]:
    """Return what every asset carries: owners, what a row is, columns, months, and the digest of what makes it.

    `query` gives the rows of the table. A table that code makes has `starts_from`, the query whose rows the code starts
    from, if there is one. `made_in` is the module of the step, `made_with` what else the rows depend on, as text, and
    `data` the files of label tables that are read.
    """
    text = query.text if isinstance(query, Query) else query
    # The digest of a query leaves its comments out.
    made_of = query.digest if isinstance(query, Query) else query
    shown = {"sql": text, "starts_from": starts_from}
    version = digest_of(
        *([made_in] if made_in else []),
        texts=(made_of, starts_from, repr(table.columns), *made_with),
        data=data,
    )
    return {
        "key": table.name,
        "group_name": layer,
        "owners": list(OWNERS),
        "kinds": kinds,
        "tags": {
            "layer": layer,
            **{key: tag_value(value) for key, value in table.tags.items()},
        },
        "description": description,
        "code_version": version,
        "partitions_def": months,
        "metadata": {
            "dagster/column_schema": columns_of(table),
            "dagster/table_name": f"lake.{table.name}",
            "one_row_is": table.grain,
            **{name: dg.MetadataValue.md(f"```sql\n{sql}\n```") for name, sql in shown.items() if sql},
            **({"made_in": made_in} if made_in else {}),
        },
    }


def columns_of(table: Table) -> dg.TableSchema:
    """Return the columns of a table as its page shows them: type, meaning and unit."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type,
                description=column.meaning + (f" ({column.unit})" if column.unit else ""),
                constraints=dg.TableColumnConstraints(nullable=column.name not in table.key),
                tags={"confidentiality": "identifier"} if column.identifies else {},
            )
            for column in table.columns
        ]
    )


def tag_value(text: str) -> str:
    """Return a text as a Dagster tag value: letters, digits, dashes, dots and underscores.

    >>> tag_value("INPI, Banque de France")
    'INPI__Banque_de_France'
    """
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in text)[:63]


def told(write: Write, *, reads: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Return the metadata of one write."""
    metadata: dict[str, Any] = {
        "dagster/partition_row_count": write.rows,
        "rows_replaced": write.replaced,
        "snapshot": write.snapshot,
        "rows_left_alone": write.unchanged,
        "seconds": round(write.seconds, 2),
        **_lineage(write.table),
    }
    if reads:
        metadata["read"] = dg.MetadataValue.json({name: str(month) for name, month in reads.items()})
    return metadata


def told_of_months(writes: Sequence[Write], months: int) -> dict[str, Any]:
    """Return the metadata of the writes of several months in one step: sums, and the last snapshot."""
    rows = sum(write.rows for write in writes)
    return {
        # Every partition of the step carries the same metadata: only a mean is true of all of them.
        "dagster/partition_row_count": rows // months,
        "rows": rows,
        "rows_replaced": sum(write.replaced for write in writes),
        "rows_left_alone": sum(write.unchanged for write in writes),
        "months": months,
        "snapshot": writes[-1].snapshot if writes else None,
        "seconds": round(sum(write.seconds for write in writes), 2),
        **(_lineage(writes[-1].table) if writes else {}),
    }


def shown(session: Session, table: Table, month: date) -> dict[str, Any]:
    """Return the metadata that is read from the rows: change against the month before, and a preview without identifiers."""
    former = add_months(month, -1)
    found = counts(session, table, [month, former])
    rows, before = found.get(month, 0), found.get(former, 0)
    lines = preview(session, table, month, rows)
    metadata: dict[str, Any] = {}
    if lines:
        metadata["preview"] = dg.MetadataValue.table([dg.TableRecord(dict(line)) for line in lines])
    if before:
        metadata |= {"row_change": rows - before, "row_change_percent": round(100 * (rows - before) / before, 2)}
    return metadata


def _lineage(table: str) -> dict[str, Any]:
    """Return the lineage of a table's columns for the graph of columns; nothing for one that no query makes."""
    found = {
        column: [
            dg.TableColumnDep(asset_key=name, column_name=origin)
            for name, origin in origins
            if name not in LABEL_TABLES
        ]
        for column, origins in origins_of(table).items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=found)} if found else {}
