"""The asset of officers' answers: the newest of each, from all the batches in which answers came back."""

from importlib.resources import files

import dagster as dg

from sf_assets.engine.materialization import asset_arguments, preview_metadata, write_metadata
from sf_assets.engine.queries import read_query
from sf_assets.engine.resources import GateResource, WarehouseResource
from sf_assets.lists.tables import ANSWERS
from sf_assets.vocabulary.partitions import parse_month

_ANSWERS = read_query(files("sf_assets.lists"), ANSWERS.name)
(_RETURNS,) = _ANSWERS.reads


@dg.asset(
    **asset_arguments(
        ANSWERS, "lists", description=_ANSWERS.header, query=_ANSWERS, kinds={"duckdb", "sql"}, made_in=__name__
    ),
    deps=[_RETURNS],
)
def list_answers(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Gather the answers received until the month, for as long as the files that brought them are retained."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        received = [one for one in session.months(_RETURNS) if one <= month]
        gate.require(session, [(_RETURNS, one) for one in dict.fromkeys((month, *received))])
        session.bind_months([gate.table(_RETURNS)], received)
        write = session.replace(
            {ANSWERS: _ANSWERS.text},
            where={"month": month},
            author=context.run_id,
            message=f"{ANSWERS.name} {month:%Y-%m}",
        )[ANSWERS.name]
        seen = preview_metadata(session, ANSWERS, month)
    return dg.MaterializeResult(metadata=write_metadata(write) | seen | {"batches": len(received)})
