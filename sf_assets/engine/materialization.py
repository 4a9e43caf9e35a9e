"""Arguments that every asset has in common, and the metadata of its writes."""

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from sf_assets.engine.code_versions import code_digest
from sf_assets.engine.lineage import column_origins
from sf_assets.engine.preview import preview, rows_by_month
from sf_assets.engine.queries import Query
from sf_assets.engine.storage import Session, Write
from sf_assets.vocabulary.labels import LABEL_TABLES
from sf_assets.vocabulary.parameters import SETTING_OF, Parameters
from sf_assets.vocabulary.partitions import add_months, months
from sf_assets.vocabulary.schema import OWNER, Table

# Features of Dagster that are not final are used on purpose, with Dagster pinned and tests that run them: ranges of months
# in one run, checks by month, inputs of months before the first partition, links to code.
_UNSTABLE = (
    "`backfill_policy`",
    "partitions_def on an AssetCheckSpec",
    "`allow_nonexistent_upstream_partitions`",
    "`(CodeReferencesMetadataValue|LocalFileCodeReference|with_source_code_references)`",
)
warnings.filterwarnings("ignore", message=f".*({'|'.join(_UNSTABLE)})")

OWNERS = (OWNER,)


def asset_arguments(
    table: Table,
    layer: str,
    *,
    description: str,
    kinds: set[str],
    query: Query | str = "",
    starts_from: str = "",
    made_in: str = "",
    made_with: Sequence[str] = (),
    settings: Collection[str] = (),
    data: Sequence[Path] = (),
) -> dict[str, Any]:
    """Return the arguments of `dg.asset` for a table: key, owners, columns, monthly partitions, description, code version.

    `query` gives the rows of the table. A table computed by code has `starts_from` instead: the query whose rows the code
    starts from, if any. `made_in` is the module of the asset, `made_with` other texts that the rows depend on, `settings`
    the settings that they depend on besides those that the query binds, and `data` the files of the label tables that the
    query reads.
    """
    text = query.text if isinstance(query, Query) else query
    # Without comments: a changed comment is not a changed version.
    code = query.digest if isinstance(query, Query) else query
    bound = {SETTING_OF[name] for name in query.parameters & SETTING_OF.keys()} if isinstance(query, Query) else set()
    displayed = {"sql": text, "starts_from": starts_from}
    version = code_digest(
        *([made_in] if made_in else []),
        texts=(code, starts_from, repr(table.columns), *made_with),
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
            "dagster/column_schema": column_schema(table),
            "dagster/table_name": f"lake.{table.name}",
            "one_row_is": table.grain,
            "settings": sorted({*settings, *bound}),
            **{name: dg.MetadataValue.md(f"```sql\n{sql}\n```") for name, sql in displayed.items() if sql},
            **({"made_in": made_in} if made_in else {}),
        },
    }


def within(assets: Iterable[dg.AssetsDefinition], outside: Collection[str]) -> list[dg.AssetsDefinition]:
    """Return the assets of a deployment: those that are not `outside`, without their dependencies on these."""

    def inside(spec: dg.AssetSpec) -> dg.AssetSpec:
        deps = [dep for dep in spec.deps if dep.asset_key.to_user_string() not in outside]
        return spec if len(deps) == len([*spec.deps]) else spec.replace_attributes(deps=deps)

    kept = [one for one in assets if not {key.to_user_string() for key in one.keys} & {*outside}]
    return list(dg.map_asset_specs(inside, kept))


def with_settings(assets: Iterable[dg.AssetsDefinition], parameters: Parameters) -> list[dg.AssetsDefinition]:
    """Return the assets with code versions that follow the settings of the deployment, where these are not the defaults.

    Dagster then marks the rows that other settings computed.
    """

    def versioned(spec: dg.AssetSpec) -> dg.AssetSpec:
        changed = parameters.changed(spec.metadata.get("settings", ()))
        version = code_digest(texts=(str(spec.code_version), repr(changed))) if changed else spec.code_version
        return spec.replace_attributes(code_version=version)

    return list(dg.map_asset_specs(versioned, assets))


def in_runs_of(assets: Iterable[dg.AssetsDefinition], most: int) -> list[dg.AssetsDefinition]:
    """Return the assets of which a range of months takes one run for every `most` months, where it took a single one.

    Their rows are a function of the month, hence the same. With 0, a range stays in a single run.
    """
    single, several = dg.BackfillPolicy.single_run(), dg.BackfillPolicy.multi_run(max_partitions_per_run=most or 1)
    return [
        asset.with_attributes(backfill_policy=several) if most and asset.backfill_policy == single else asset
        for asset in assets
    ]


def column_schema(table: Table) -> dg.TableSchema:
    """Return the columns of a table for its page in Dagster: type, meaning, unit, whether they identify."""
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


def write_metadata(write: Write, *, reads: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Return the metadata of one write: rows, rows replaced, snapshot, seconds, and the month of each table read."""
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


def range_metadata(writes: Sequence[Write], months: int) -> dict[str, Any]:
    """Return the metadata of the writes of a range of months: their sums, and the last snapshot."""
    rows = sum(write.rows for write in writes)
    return {
        # Dagster gives every partition of the step the same metadata: only the mean holds for each.
        "dagster/partition_row_count": rows // months,
        "rows": rows,
        "rows_replaced": sum(write.replaced for write in writes),
        "rows_left_alone": sum(write.unchanged for write in writes),
        "months": months,
        "snapshot": writes[-1].snapshot if writes else None,
        "seconds": round(sum(write.seconds for write in writes), 2),
        **(_lineage(writes[-1].table) if writes else {}),
    }


def preview_metadata(session: Session, table: Table, month: date) -> dict[str, Any]:
    """Return the change in rows since the month before, and a preview of the month's rows without identifiers."""
    former = add_months(month, -1)
    counts = rows_by_month(session, table, [month, former])
    rows, before = counts.get(month, 0), counts.get(former, 0)
    lines = preview(session, table, month, rows)
    metadata: dict[str, Any] = {}
    if lines:
        metadata["preview"] = dg.MetadataValue.table([dg.TableRecord(dict(line)) for line in lines])
    if before:
        metadata |= {"row_change": rows - before, "row_change_percent": round(100 * (rows - before) / before, 2)}
    return metadata


def _lineage(table: str) -> dict[str, Any]:
    """Return the column lineage of a table, for Dagster's graph; empty for a table without recorded lineage."""
    dependencies = {
        column: [
            dg.TableColumnDep(asset_key=name, column_name=origin)
            for name, origin in origins
            if name not in LABEL_TABLES
        ]
        for column, origins in column_origins(table).items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=dependencies)} if dependencies else {}
