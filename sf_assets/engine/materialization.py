"""How a query becomes an asset: which months it reads, through which gate, and what the operator is told.

A monthly batch is computed from its own month. Sources that were not delivered stay in force: their staging table is
read at the newest month that was. Features of months without a batch of their own, which training needs, are computed
from the newest batch, each with its own cut-off.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from sf_assets.catalogue.confidentiality import confidentiality, legal_bases
from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.engine.lineage import made_of as origins_of
from sf_assets.engine.makers import digest_of
from sf_assets.engine.preview import counts, preview
from sf_assets.engine.quality import require_passed
from sf_assets.engine.queries import Query
from sf_assets.engine.resources import Folders, Parameters
from sf_assets.engine.storage import Session, Warehouse, Write
from sf_assets.sources import BY_NAME as SOURCES
from sf_assets.sources import nomenclatures
from sf_assets.sources.inspected import labels_of
from sf_assets.sources.known import define_known_from
from sf_assets.staging.tables import IMPORTS
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.partitions import add_months, cutoff_of, months, parse_month
from sf_assets.vocabulary.schema import OWNER, Table

# Ranges of months in one run are beta, and checks by month a preview: used on purpose, behind pinned versions and tests.
warnings.filterwarnings("ignore", message=".*(`backfill_policy`|partitions_def on an AssetCheckSpec).*")

OWNERS = (OWNER,)
_NOMENCLATURES = {table.name for table in nomenclatures.TABLES}


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
    labels: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what every asset carries: owners, what a row is, columns, months, and the digest of what makes it.

    `query` gives the rows of the table. A table that code makes has `starts_from`, the query whose rows the code starts
    from, if there is one. `made_in` is the module of the step, `made_with` what else the rows depend on, as text, and
    `labels` the label tables that are read.
    """
    text = query.text if isinstance(query, Query) else query
    # The digest of a query leaves its comments out.
    made_of = query.digest if isinstance(query, Query) else query
    shown = {"sql": text, "starts_from": starts_from}
    version = digest_of(
        *([made_in] if made_in else []),
        texts=(made_of, starts_from, repr(table.columns), *made_with),
        data=[nomenclatures.csv_path(name) for name in labels],
    )
    return {
        "key": table.name,
        "group_name": layer,
        "owners": list(OWNERS),
        "kinds": kinds,
        "tags": {
            "layer": layer,
            "legal_basis": tag_value(legal_bases(table.name)[-1]),
            "confidentiality": confidentiality(table),
            **{key: tag_value(value) for key, value in table.tags.items()},
        },
        "description": description,
        "code_version": version,
        "partitions_def": months,
        "metadata": {
            "dagster/column_schema": columns_of(table),
            "dagster/table_name": f"lake.{table.name}",
            "one_row_is": table.grain,
            "legal_bases": "; ".join(legal_bases(table.name)),
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
            if name not in _NOMENCLATURES
        ]
        for column, origins in origins_of(table).items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=found)} if found else {}


def gate(session: Session, reads: Iterable[tuple[str, date]]) -> None:
    """Let pass only when these assets and months are sound and up to date; raise `Blocked` otherwise.

    From there to its next write, the session reads the snapshot that was looked at, and that write records these reads.
    """
    read = open_gate(session, reads)
    delivered = {f"src_{name.removeprefix('stg_')}": day for name, day in read if name.startswith("stg_")}
    # A staging table stands for the files it was read from: the same ones delivered again change nothing after it.
    session.inputs |= {one: snapshot for one, snapshot in read.items() if delivered.get(one[0]) != one[1]}


def open_gate(session: Session, reads: Iterable[tuple[str, date]]) -> dict[tuple[str, date], int | None]:
    """Do what `gate` does for assets that a step looks at and may not read; return the snapshots that wrote them."""
    session.pin()
    return require_passed(session, reads, SUITES)


def in_force(session: Session, source: str, month: date) -> date | None:
    """Return the newest batch month, not after `month`, in which files of a source were loaded; None when none was."""
    return _in_force(session, month).get(source)


def _in_force(session: Session, month: date) -> dict[str, date]:
    """Return the newest batch month, not after `month`, in which files of each source were loaded."""
    session.bind({IMPORTS: None})
    query = "select source, max(month) from stg_import where month <= $month group by source"
    return dict(session.connection.execute(query, {"month": month}).fetchall())


def reads_at(session: Session, names: Sequence[str], state: date) -> tuple[dict[Table, date], list[tuple[str, date]]]:
    """Say which month of each staging and clean table a batch month is made of, and what must have passed before.

    A staging table whose files the month did not deliver is read where they last were. The month's own arrivals must
    all the same have been found as promised: an old stock never silently stands in for a refused one.
    """
    reads: dict[Table, date] = {}
    gates: list[tuple[str, date]] = []
    session.pin()
    loaded = _in_force(session, state) if any(name.startswith("stg_") for name in names) else {}
    for name in names:
        month = state
        source = name.removeprefix("stg_")
        if source in SOURCES:
            gates.append((f"src_{source}", state))
            month = loaded.get(source, state)
        gates.append((name, month))
        reads[TABLES[name]] = month
    return reads, gates


def sound_before(session: Session, table: Table, month: date) -> date | None:
    """Return the newest month before `month` in which a table passed its checks; None when there is none."""
    for earlier in reversed(session.months(table.name)):
        if earlier < month:
            try:
                gate(session, [(table.name, earlier)])
            except Blocked:
                continue
            return earlier
    return None


def query_asset(table: Table, query: Query, layer: str) -> dg.AssetsDefinition:
    """Build the asset of one table of the clean layer from the query that bears its name.

    A query that reads its own table reads it as it was in the newest sound month before.
    """
    names = [name for name in query.reads if name not in _NOMENCLATURES and name != table.name]
    remembers = table.name in query.reads
    labels = [name for name in query.reads if name in _NOMENCLATURES]

    @dg.asset(
        **stamp(table, layer, description=query.header, query=query, kinds={"duckdb", "sql"}, labels=labels), deps=names
    )
    def build(
        context: dg.AssetExecutionContext, warehouse: Warehouse, folders: Folders, parameters: Parameters
    ) -> dg.MaterializeResult[None]:
        month = parse_month(context.partition_key)
        values = parameters.of_queries() | {"reference_date": cutoff_of(month, parameters.cutoff_shift_days)}
        with warehouse.session() as session:
            reads, gates = reads_at(session, names, month)
            gate(session, gates)
            updates = labels_of(session, folders.incoming_path, month, labels)
            nomenclatures.load(session.connection, updates)
            define_known_from(session.connection, parameters.all_delays)
            session.bind(reads)
            if remembers:
                before = sound_before(session, table, month)
                session.bind_months([table], [before] if before else [])
                reads |= {table: before} if before else {}
            writes = session.replace(
                {table: query.text},
                where={"month": month},
                author=context.run_id,
                message=f"{table.name} {month:%Y-%m}",
                parameters=query.bound(values),
            )
            seen = shown(session, table, month)
        labelled = {name: ", ".join(map(str, paths)) for name, paths in updates.items()}
        origins = {**{read.name: month for read, month in reads.items()}, **labelled}
        return dg.MaterializeResult(metadata=told(writes[table.name], reads=origins) | seen)

    return build
