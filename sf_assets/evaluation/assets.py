"""The assets of the evaluation: the yearly backtest and what is computed from it, and the monthly drift and verification."""

from datetime import date
from importlib.resources import files
from typing import Any

import dagster as dg
import polars as pl

from sf_assets.engine.materialization import asset_arguments, preview_metadata, write_metadata
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.queries import read_query
from sf_assets.engine.resources import FoldersResource, GateResource, ParametersResource, WarehouseResource
from sf_assets.engine.storage import Session, frame_of
from sf_assets.evaluation.backtest import backtest
from sf_assets.evaluation.bootstrap import draw_weights
from sf_assets.evaluation.champion import average_precisions, compare_with_champion, decision_rows
from sf_assets.evaluation.drift import REFERENCE_ROWS, month_drift, reference_months
from sf_assets.evaluation.figures import ALL_COMPANIES, Row, backtest_figures
from sf_assets.evaluation.loading import BACKTEST_ROWS, backtested_methods, bind_backtest, load_panel, load_scores
from sf_assets.evaluation.origins import Origin, rolling_origins
from sf_assets.evaluation.panel import Panel
from sf_assets.evaluation.tables import BACKTEST, DRIFT, FIGURES, UTILITY, VERIFICATION
from sf_assets.evaluation.utility import LEARNING_ROWS, ORIGINS, feature_groups, utility
from sf_assets.features.configurations import IN_USE_OF
from sf_assets.features.registry import FEATURES_OF
from sf_assets.model.assets import SPLIT_BY, alert_rule_of, rules_of
from sf_assets.model.learning import usable_months
from sf_assets.model.methods import METHODS
from sf_assets.model.rows import LABELLED_ROWS, load_rows, sample_rows
from sf_assets.model.selection import CHAMPION
from sf_assets.model.store import ModelStore
from sf_assets.model.tables import FITTED, TARGET
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import parse_month
from sf_assets.vocabulary.schema import Table

_VERIFICATION = read_query(files("sf_assets.evaluation"), VERIFICATION.name)
_LABELLED = "select distinct periode from model_target"
# The inputs of a verification, per month of a past list.
_PUBLISHED = ("list_alerts", "list_export", "model_evaluation")
_FAILURES = "select siren, periode from model_target where target and not en_procedure"


class BacktestConfig(dg.Config):
    """The configuration of a backtest: the months between two origins."""

    every_months: int = 12


def _bind_origins(gate: Gate, session: Session, month: date, parameters: Parameters, every: int) -> tuple[Origin, ...]:
    """Bind the features and labels that a backtest of `month` reads, behind their gate; return its origins."""
    usable = usable_months(session, month, parameters)
    gate.require(session, [(TARGET.name, month), *(("feat_matrix", m) for m in usable)])
    session.bind({TARGET: month})
    session.bind_months([gate.table("feat_matrix")], usable)
    failures = session.connection.execute(_FAILURES).pl()
    return rolling_origins(month, usable, failures, rules_of(parameters), every=every)


def _write(session: Session, table: Table, rows: pl.DataFrame | str, month: date, run_id: str) -> dict[str, Any]:
    """Replace a month of a table by the rows of a frame or query; return the metadata of the write."""
    message = f"{table.name} {month:%Y-%m}"
    # The scores of a whole backtest are millions of rows of a temporary table, and need no second copy.
    streamed = (table,) if table is BACKTEST else ()
    written = session.replace({table: rows}, where={"month": month}, author=run_id, message=message, streamed=streamed)
    write = written[table.name]
    return write_metadata(write) | preview_metadata(session, table, month)


@dg.asset(
    **asset_arguments(
        BACKTEST,
        "evaluation",
        description="One row is one company and past month, scored by one method that learned only what was known at an "
        "origin: months whose horizon had not passed then are left out. Scores of `nouvelles` come from methods that never "
        "learned from the company they score.",
        starts_from=LABELLED_ROWS,
        made_in=__name__,
        settings=SPLIT_BY,
        kinds={"python", "scikitlearn"},
    ),
    deps=["feat_matrix", "model_target"],
)
def eval_backtest(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    parameters: ParametersResource,
    gate: GateResource,
    config: BacktestConfig,
) -> dg.MaterializeResult[None]:
    """At each origin, fit the methods on what was known then, and score the months that followed."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        session.connection.register("nothing", frame_of(BACKTEST, ()).to_arrow())
        session.connection.execute("create or replace temp table scored_rows as select * from nothing")
        origins = _bind_origins(gate, session, month, parameters, config.every_months)
        for origin in origins:
            with session.reading():
                for scores in backtest(
                    origin,
                    METHODS,
                    load=lambda m: load_rows(session, m),
                    draw=lambda m: sample_rows(session, m),
                    features=IN_USE_OF[parameters.mode],
                ):
                    session.connection.register("scores", scores.to_arrow())
                    session.connection.execute("insert into scored_rows by name select * from scores")
            context.log.info(f"origin {origin.month:%Y-%m}: {len(origin.training)} months learned from")
        if not origins:
            context.log.warning(f"no origin before {month:%Y-%m} has enough known failures to learn from")
        metadata = _write(session, BACKTEST, "select * from scored_rows", month, context.run_id)
        session.connection.execute("drop table scored_rows")
    return dg.MaterializeResult(metadata=metadata | {"origins": [f"{origin.month:%Y-%m}" for origin in origins]})


def _bind_panel(gate: Gate, session: Session, month: date, parameters: Parameters) -> Panel | None:
    """Bind the backtest of a month behind its gate; return its rows with their outcomes, None when no month was scored."""
    gate.require(session, [(name, month) for name in (BACKTEST.name, TARGET.name, "clean_procedure_episode")])
    described = ("feat_company_month", "feat_matrix")
    gate.require(
        session,
        [(name, scored) for scored in bind_backtest(session, month, gate.table("feat_matrix")) for name in described],
    )
    return load_panel(session, parameters.cutoff_shift_days, gate.table("feat_matrix"))


@dg.asset(
    **asset_arguments(
        FIGURES,
        "evaluation",
        description="One row is one figure of one method in the backtest, with its interval by a bootstrap of companies: for "
        "all rows, by origin, sector, size, region, age, and in 2020-2021.",
        starts_from=BACKTEST_ROWS,
        made_in=__name__,
        settings=(*SPLIT_BY, "alert_precisions", "alert_shares"),
        kinds={"python", "numpy"},
    ),
    deps=["eval_backtest", "model_target", "clean_procedure_episode", "feat_company_month", "feat_matrix"],
)
def eval_figures(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, parameters: ParametersResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Compute the figures of every method, by reading and group."""
    month = parse_month(context.partition_key)
    rows: list[Row] = []
    with warehouse.session() as session:
        panel = _bind_panel(gate, session, month, parameters)
        if panel:
            weights = draw_weights(len(panel.companies))
            for method, companies in backtested_methods(session):
                figures = backtest_figures(
                    panel,
                    load_scores(session, panel, method, companies),
                    rules_of(parameters),
                    weights,
                    probabilities=METHODS[method].learns,
                    by_group=companies == ALL_COMPANIES,
                    alert=alert_rule_of(parameters),
                )
                rows += [{"methode": method, "entreprises": companies} | row for row in figures]
        metadata = _write(session, FIGURES, frame_of(FIGURES, rows), month, context.run_id)
    return dg.MaterializeResult(metadata=metadata)


@dg.asset(
    **asset_arguments(
        CHAMPION,
        "evaluation",
        description="One row is one method compared with the champion in the backtest. It replaces the champion only when "
        "its average precision is higher beyond noise; lists of later months then use it.",
        starts_from=BACKTEST_ROWS,
        made_in=__name__,
        settings=("cutoff_shift_days",),
        kinds={"python", "numpy"},
    ),
    deps=[
        "eval_backtest",
        "model_target",
        "clean_procedure_episode",
        "feat_company_month",
        "feat_matrix",
        "model_fitted",
    ],
)
def eval_champion(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, parameters: ParametersResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Compare every method with the champion, which is the method selected for the month's list."""
    month = parse_month(context.partition_key)
    rows = decision_rows("", ())
    with warehouse.session() as session:
        panel = _bind_panel(gate, session, month, parameters)
        if panel:
            gate.require(session, [(FITTED.name, month)])
            session.bind({FITTED: month})
            (champion,) = session.connection.execute("select methode from model_fitted where retained").fetchall()[0]
            rows = decision_rows(champion, compare_with_champion(champion, average_precisions(session, panel)))
        # A decision stays in force when its inputs are computed again: without inputs it never becomes stale.
        session.inputs.clear()
        metadata = _write(session, CHAMPION, rows, month, context.run_id)
    decision = rows["decision"][0] if rows.height else "nothing to compare"
    return dg.MaterializeResult(metadata=metadata | {"decision": decision})


@dg.asset(
    **asset_arguments(
        UTILITY,
        "evaluation",
        description="One row is one theme or source of features: the average precision lost without it, and the average "
        "precision reached by it alone, over the last origins of the backtest.",
        starts_from=LABELLED_ROWS,
        made_in=__name__,
        settings=SPLIT_BY,
        kinds={"python", "scikitlearn"},
    ),
    deps=["feat_matrix", "model_target"],
)
def eval_utility(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    parameters: ParametersResource,
    gate: GateResource,
    config: BacktestConfig,
) -> dg.MaterializeResult[None]:
    """Fit a method without each theme and source, and on each alone, and compare their average precision."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        origins = _bind_origins(gate, session, month, parameters, config.every_months)[-ORIGINS:]
        with session.reading():
            rows = utility(
                origins,
                load=lambda m: load_rows(session, m),
                draw=lambda m: sample_rows(session, m, at_most=LEARNING_ROWS),
                groups=feature_groups(FEATURES_OF[parameters.mode]),
            )
        metadata = _write(session, UTILITY, rows, month, context.run_id)
    adds_nothing = rows.filter(~pl.col("apporte"))["nom"].to_list()
    return dg.MaterializeResult(metadata=metadata | {"adds_nothing": adds_nothing})


@dg.asset(
    **asset_arguments(
        DRIFT,
        "evaluation",
        description="One row is one feature or score of the month, compared with the same month of the years learned from: "
        "population stability index, share of known values, median.",
        starts_from=REFERENCE_ROWS,
        made_in=__name__,
        kinds={"python", "numpy"},
    ),
    deps=["feat_matrix", "model_fitted"],
)
def eval_drift(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, folders: FoldersResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Compare the month with the months that its methods learned from."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        gate.require(session, [("feat_matrix", month), (FITTED.name, month)])
        session.bind({FITTED: month, gate.table("feat_matrix"): month})
        compared = reference_months(session, month)
        gate.require(session, [("feat_matrix", past) for past in compared])
        rows = month_drift(session, month, compared, ModelStore(folders.models), gate.table("feat_matrix"))
        metadata = _write(session, DRIFT, rows, month, context.run_id)
    return dg.MaterializeResult(metadata=metadata)


@dg.asset(
    **asset_arguments(
        VERIFICATION,
        "evaluation",
        description=_VERIFICATION.header,
        query=_VERIFICATION,
        kinds={"duckdb", "sql"},
        made_in=__name__,
    ),
    deps=["list_alerts", "list_export", "model_target", "model_evaluation"],
)
def eval_verification(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Compare the past published lists whose outcome is known with what had been announced."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        gate.require(session, [(TARGET.name, month)])
        session.bind({TARGET: month})
        labelled = {periode for (periode,) in session.connection.execute(_LABELLED).fetchall()}
        published = [m for m in session.months("list_export") if m < month and m in labelled]
        gate.require(session, [(name, m) for m in published for name in _PUBLISHED])
        session.bind_months([gate.table(name) for name in _PUBLISHED], published)
        metadata = _write(session, VERIFICATION, _VERIFICATION.text, month, context.run_id)
    return dg.MaterializeResult(metadata=metadata)


ASSETS = (eval_backtest, eval_figures, eval_champion, eval_utility, eval_drift, eval_verification)
