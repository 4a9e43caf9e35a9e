"""The assets that measure help: what was answered about published lists, every month, and what help changes, once a year."""

from collections.abc import Sequence
from datetime import date
from importlib.resources import files

import dagster as dg

from sf_assets.engine.materialization import asset_arguments, preview_metadata, write_metadata
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.queries import read_query
from sf_assets.engine.resources import GateResource, WarehouseResource
from sf_assets.engine.storage import Session, frame_of
from sf_assets.evaluation.answers import answer_figures
from sf_assets.evaluation.effect import FARTHEST, effect_rows
from sf_assets.evaluation.tables import ANSWERS, EFFECT
from sf_assets.lists.tables import ANSWERS as RECEIVED
from sf_assets.lists.tables import LIST_VERSIONS
from sf_assets.model.tables import SCORES, TARGET
from sf_assets.vocabulary.partitions import parse_month

_COMPANIES = read_query(files("sf_assets.evaluation"), "answered_companies")
_SCORED = read_query(files("sf_assets.evaluation"), "threshold_rows")
# A later layer publishes: it is read in earlier months only, which is no dependency of this month.
_PUBLISHED = "list_publication"


def _bind(session: Session, gate: Gate, month: date, tables: Sequence[str], *, known: bool) -> list[date]:
    """Bind the answers and outcomes of a month, and tables of the months whose list was published before it.

    `known` leaves out the lists whose outcome is not known. Return their months.
    """
    gate.require(session, [(RECEIVED.name, month), (TARGET.name, month)])
    session.bind({RECEIVED: month, TARGET: month})
    published = [one for one in session.months(_PUBLISHED) if one < month]
    if known:
        labelled = session.connection.execute("select distinct periode from model_target").fetchall()
        published = [one for one in published if (one,) in labelled]
    read = (_PUBLISHED, "list_alerts", *tables)
    gate.require(session, [(name, one) for one in published for name in read])
    session.bind_months([*map(gate.table, read), LIST_VERSIONS], published)
    return published


@dg.asset(
    **asset_arguments(
        ANSWERS,
        "evaluation",
        description="One row is one figure of a past published list: contacts, delay, usefulness and outcomes of its companies, "
        "by level, territory and group, with its interval. Figures of fewer than eleven companies are hidden.",
        starts_from=_COMPANIES.text,
        made_in=__name__,
        kinds={"duckdb", "polars"},
    ),
    deps=[RECEIVED.name, TARGET.name, "list_alerts"],
)
def eval_answers(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Count what became of the lists published before the month."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        published = _bind(session, gate, month, (), known=False)
        rows = frame_of(ANSWERS, ())
        if published:
            rows = answer_figures(session.connection.execute(_COMPANIES.text).pl())
        write = session.replace(
            {ANSWERS: rows}, where={"month": month}, author=context.run_id, message=f"{ANSWERS.name} {month:%Y-%m}"
        )[ANSWERS.name]
        seen = preview_metadata(session, ANSWERS, month)
    return dg.MaterializeResult(metadata=write_metadata(write) | seen | {"lists": len(published)})


@dg.asset(
    **asset_arguments(
        EFFECT,
        "evaluation",
        description="One row is one estimate of what help changes: failures of companies just above the threshold of "
        "publication against those just below, with the checks of that comparison, and of contacted companies against others.",
        starts_from=_SCORED.text,
        made_in=__name__,
        kinds={"duckdb", "numpy"},
    ),
    deps=[RECEIVED.name, TARGET.name, "list_alerts", SCORES.name],
)
def eval_effect(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Compare companies around the threshold of the past lists whose outcome is known."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        published = _bind(session, gate, month, (SCORES.name,), known=True)
        scored = session.connection.execute(_SCORED.text, {"farthest": FARTHEST}).pl()
        write = session.replace(
            {EFFECT: effect_rows(scored)},
            where={"month": month},
            author=context.run_id,
            message=f"{EFFECT.name} {month:%Y-%m}",
        )[EFFECT.name]
        seen = preview_metadata(session, EFFECT, month)
    return dg.MaterializeResult(metadata=write_metadata(write) | seen | {"lists": len(published)})


ASSETS = (eval_answers, eval_effect)
