"""The Dagster asset of a clean table, built from the query of the same name."""

import dagster as dg

from sf_assets.clean.tables import STREAMED
from sf_assets.engine.materialization import asset_arguments, preview_metadata, write_metadata
from sf_assets.engine.queries import Query
from sf_assets.engine.resources import FoldersResource, GateResource, ParametersResource, WarehouseResource
from sf_assets.sources.inspection import delivered_label_tables
from sf_assets.sources.known import define_known_from, rules_called_by, settings_called_by
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.nomenclatures.label_tables import label_files
from sf_assets.staging.in_force import reads_at
from sf_assets.vocabulary.labels import LABEL_TABLES
from sf_assets.vocabulary.partitions import cutoff_of, parse_month
from sf_assets.vocabulary.schema import Table


def query_asset(table: Table, query: Query) -> dg.AssetsDefinition:
    """Return the asset of one table of the clean layer, made by the query of the same name.

    A query that reads its own table reads the newest earlier month that passed its checks.
    """
    names = [name for name in query.reads if name not in LABEL_TABLES and name != table.name]
    reads_itself = table.name in query.reads
    labels = [name for name in query.reads if name in LABEL_TABLES]

    @dg.asset(
        **asset_arguments(
            table,
            "clean",
            description=query.header,
            query=query,
            kinds={"duckdb", "sql"},
            made_with=rules_called_by(query.text),
            settings=[
                *settings_called_by(query.text),
                *(["cutoff_shift_days"] if "reference_date" in query.parameters else []),
            ],
            data=label_files(labels),
        ),
        deps=names,
    )
    def build(
        context: dg.AssetExecutionContext,
        warehouse: WarehouseResource,
        folders: FoldersResource,
        parameters: ParametersResource,
        gate: GateResource,
    ) -> dg.MaterializeResult[None]:
        month = parse_month(context.partition_key)
        values = parameters.query_values() | {"reference_date": cutoff_of(month, parameters.cutoff_shift_days)}
        with warehouse.session() as session:
            reads, gates = reads_at(gate, session, names, month)
            gate.require(session, gates)
            updates = delivered_label_tables(session, folders.incoming.of(month), month, labels)
            label_tables.load(session.connection, updates)
            define_known_from(session.connection, parameters.all_delays)
            session.bind(reads, pinned=table in STREAMED)
            if reads_itself:
                before = gate.newest_passed(session, table, month)
                session.bind_months([table], [before] if before else [])
                reads |= {table: before} if before else {}
            writes = session.replace(
                {table: query.text},
                where={"month": month},
                author=context.run_id,
                message=f"{table.name} {month:%Y-%m}",
                parameters=query.bind_values(values),
                streamed=(table,) if table in STREAMED else (),
            )
            seen = preview_metadata(session, table, month)
        labelled = {name: ", ".join(map(str, paths)) for name, paths in updates.items()}
        origins = {**{read.name: month for read, month in reads.items()}, **labelled}
        return dg.MaterializeResult(metadata=write_metadata(writes[table.name], reads=origins) | seen)

    return build
