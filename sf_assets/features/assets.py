"""The feature assets: one per query of this folder. A range of months is computed in one step, by sets of rows."""

from collections.abc import Sequence
from datetime import date
from functools import cache, partial
from typing import Any

import dagster as dg

from sf_assets.engine.charts.svg import embedded
from sf_assets.engine.materialization import asset_arguments, preview_metadata, range_metadata
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.queries import Query
from sf_assets.engine.resources import GateResource, ParametersResource, WarehouseResource
from sf_assets.engine.storage import Session, Warehouse, Write
from sf_assets.features.charts import coverage_chart, shift_chart, shifts_of
from sf_assets.features.queries import feature_query
from sf_assets.features.reach import REACH, first_month
from sf_assets.features.registry import FEATURES_OF, Feature
from sf_assets.features.tables import LAGS, TABLES, tables_of
from sf_assets.sources.known import KNOWN, define_known_from, rules_called_by, settings_called_by
from sf_assets.staging.in_force import in_force, reads_at
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.modes import FULL, Mode
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import add_months, months_of
from sf_assets.vocabulary.schema import Table

_FEATURES = {table.name for table in TABLES}
_QUERIES = {table.name: feature_query(table.name) for table in TABLES}
# Tables of earlier layers that features read, all of the same batch month.
_BASE = sorted({name for query in _QUERIES.values() for name in query.reads} - _FEATURES)
_LAGS_QUERY = feature_query(LAGS.name)
_LAGS_YEARS = (1, 2, 3)


def _has_passed(gate: Gate, session: Session, state: date) -> bool:
    """Tell whether the gates of a batch month are open."""
    try:
        gate.check(session, reads_at(gate, session, _BASE, state)[1])
    except Blocked:
        return False
    return True


def _first_months(gate: Gate, session: Session, parameters: Parameters) -> dict[date, date]:
    """Return the first month that each batch month tells of in full."""
    name, column = REACH[parameters.mode]
    session.bind({gate.table(name): None})
    rows = session.connection.execute(f"select month, min({column}) from {name} group by month").fetchall()
    return {state: first_month(oldest, state, parameters) for state, oldest in rows}


def _spans(
    gate: Gate, session: Session, months: Sequence[date], parameters: Parameters
) -> list[tuple[date, list[date]]]:
    """Cut months into runs without a gap that are computed from the same batch month.

    A month is computed from its own batch. One that has none takes the newest batch that passed its checks and reaches back
    to it: it does not wait for the correction of a later batch, and an early month that the window of the newest batch has
    left keeps the companies of an older one. Where none reaches, the newest is taken, whose checks then say what is missing.
    """
    spans: list[tuple[date, list[date]]] = []
    built = session.months("stg_filter_import")
    alone = set(months) - set(built) if built else set()
    firsts = _first_months(gate, session, parameters) if alone else {}
    has_passed = cache(partial(_has_passed, gate, session))
    for month in sorted(months):
        state = month
        if month in alone:
            reaching = [built_at for built_at in reversed(built) if firsts.get(built_at, built_at) <= month]
            state = next(filter(has_passed, [*reaching, *reversed(built)]), built[-1])
        if spans and spans[-1][0] == state and add_months(spans[-1][1][-1], 1) == month:
            spans[-1][1].append(month)
        else:
            spans.append((state, [month]))
    return spans


def _delivered(session: Session, state: date) -> dict[str, date]:
    """Return, for each source whose records have no day, the month in which the files used by a batch were delivered."""
    months = {name: in_force(session, name, state) for name, known in KNOWN.items() if not known.is_dated}
    return {name: month for name, month in months.items() if month}


def _build(
    gate: Gate,
    warehouse: Warehouse,
    table: Table,
    query: Query,
    wanted: Sequence[date],
    *,
    parameters: Parameters,
    run_id: str,
) -> list[tuple[date, Write]]:
    """Compute a table for all wanted months, one query per span; return the batch month and the write of each span."""
    base = [name for name in query.reads if name not in _FEATURES]
    others = [name for name in query.reads if name in _FEATURES]
    values, delays, done = parameters.query_values(), parameters.all_delays, []
    with warehouse.session() as session:
        for state, months in _spans(gate, session, wanted, parameters):
            reads, gates = reads_at(gate, session, base, state)
            gate.require(session, gates, by_month={month: [(name, month) for name in others] for month in months})
            session.bind(reads)
            define_known_from(session.connection, delays, _delivered(session, state))
            session.bind_months([read for read in TABLES if read.name in others], months)
            write = session.replace(
                {table: query.text},
                where={"month": months},
                author=run_id,
                message=f"{table.name} {months[0]:%Y-%m} to {months[-1]:%Y-%m}",
                parameters=query.bind_values(values | {"first": months[0], "last": months[-1]}),
            )[table.name]
            done.append((state, write))
    return done


def _charts(session: Session, month: date, features: Sequence[Feature]) -> dict[str, Any]:
    """Return the charts of a month's matrix: coverage of sources, and shift of features since the month before."""
    shifts = shifts_of(session, month, features)
    return {
        "coverage": dg.MetadataValue.md(
            embedded(coverage_chart(session, month, features), "coverage of each source by month")
        ),
        "shift": dg.MetadataValue.md(embedded(shift_chart(shifts), "shift of features since the month before")),
        "largest_shift": shifts[0][1] if shifts else 0.0,
    }


def _feature_asset(table: Table, mode: Mode = FULL) -> dg.AssetsDefinition:
    query = _QUERIES[table.name] if mode == FULL else feature_query(table.name, features=FEATURES_OF[mode])

    @dg.asset(
        **asset_arguments(
            table,
            "features",
            description=query.header,
            query=query,
            kinds={"duckdb", "sql"},
            made_in=__name__,
            made_with=rules_called_by(query.text),
            # Head-counts decide which batch a month without one is computed from.
            settings=(*settings_called_by(query.text), "delays.effectif_months", "perimeter_months"),
        ),
        deps=list(query.reads),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def build(
        context: dg.AssetExecutionContext,
        warehouse: WarehouseResource,
        parameters: ParametersResource,
        gate: GateResource,
    ) -> dg.MaterializeResult[None]:
        wanted = months_of(context)
        writes = _build(gate, warehouse, table, query, wanted, parameters=parameters, run_id=context.run_id)
        with warehouse.session() as session:
            # All partitions of a range get the same metadata: a comparison with the month before needs a single month.
            seen = preview_metadata(session, table, wanted[0]) if len(wanted) == 1 else {}
            if seen and table.name == "feat_matrix":
                seen |= _charts(session, wanted[0], FEATURES_OF[mode])
        return dg.MaterializeResult(
            metadata=range_metadata([write for _, write in writes], len(wanted))
            | seen
            | {"computed_from": dg.MetadataValue.json(sorted({f"{state:%Y-%m}" for state, _ in writes}))}
        )

    return build


def _with_past(month: date) -> list[date]:
    """Return a month and those that its lags are looked up in."""
    return [add_months(month, -12 * years) for years in (0, *_LAGS_YEARS)]


@dg.asset(
    **asset_arguments(
        LAGS,
        "features_wide",
        description=_LAGS_QUERY.header,
        query=_LAGS_QUERY,
        kinds={"duckdb", "sql"},
        made_in=__name__,
    ),
    deps=[
        dg.AssetDep(
            name,
            partition_mapping=dg.TimeWindowPartitionMapping(
                start_offset=-12 * max(_LAGS_YEARS), allow_nonexistent_upstream_partitions=True
            ),
        )
        for name in _LAGS_QUERY.reads
    ],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def feat_lags(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Look up features of earlier months among the months already computed, twelve months at a time."""
    wanted = months_of(context)
    writes = []
    with warehouse.session() as session:
        computed = {name: set(session.months(name)) for name in _LAGS_QUERY.reads}
        for start in range(0, len(wanted), 12):
            months = wanted[start : start + 12]
            reads = {month: [(name, m) for name in _LAGS_QUERY.reads for m in _with_past(month)] for month in months}
            past = {read for of_month in reads.values() for read in of_month if read[1] not in months}
            absent = {(name, m) for name, m in past if m not in computed[name]}
            gate.require(session, (), by_month=reads, absent=absent)
            looked_up = sorted({m for month in months for m in _with_past(month)})
            session.bind_months([table for table in TABLES if table.name in _LAGS_QUERY.reads], looked_up)
            writes.append(
                session.replace(
                    {LAGS: _LAGS_QUERY.text},
                    where={"month": months},
                    author=context.run_id,
                    message=f"{LAGS.name} {months[0]:%Y-%m} to {months[-1]:%Y-%m}",
                    parameters=_LAGS_QUERY.bind_values({"first": months[0], "last": months[-1]}),
                )[LAGS.name]
            )
    return dg.MaterializeResult(metadata=range_metadata(writes, len(wanted)))


def assets_of(mode: Mode = FULL) -> tuple[dg.AssetsDefinition, ...]:
    """Return the feature assets with the tables of a mode, those of the other mode included."""
    return (*(_feature_asset(table, mode) for table in tables_of(mode)), feat_lags)
