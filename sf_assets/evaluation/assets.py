"""The evaluation assets: the backtest and what is read from it once a year; drift and verification with every month."""

from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from sf_assets.engine.materialization import shown, stamp, told
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.queries import read_query
from sf_assets.engine.resources import FoldersResource, GateResource, ParametersResource, WarehouseResource
from sf_assets.engine.storage import Session, frame_of
from sf_assets.evaluation.backtest import backtest
from sf_assets.evaluation.bootstrap import draw_weights, ranking
from sf_assets.evaluation.champion import compare_with_champion, decision_rows
from sf_assets.evaluation.drift import REFERENCE, drift, reference_rows
from sf_assets.evaluation.figures import ALL_COMPANIES, Row, backtest_figures
from sf_assets.evaluation.loading import ROWS, backtested_methods, bind_backtest, load_panel, load_scores
from sf_assets.evaluation.origins import Origin, rolling_origins
from sf_assets.evaluation.panel import Panel
from sf_assets.evaluation.tables import BACKTEST, DRIFT, FIGURES, UTILITY, VERIFICATION
from sf_assets.evaluation.utility import LEARNING_ROWS, ORIGINS, feature_groups, utility
from sf_assets.features.registry import NAMES
from sf_assets.model.assets import alert_rule_of, rules_of, usable_months
from sf_assets.model.methods import METHODS, score
from sf_assets.model.rows import DRAW, draw, load
from sf_assets.model.selection import CHAMPION
from sf_assets.model.store import ModelStore
from sf_assets.model.tables import FITTED, TARGET
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import parse_month
from sf_assets.vocabulary.schema import Table

_VERIFICATION = read_query(files("sf_assets.evaluation"), VERIFICATION.name)
_LABELLED = "select distinct periode from model_target"
# What a past list is held against, and is read from.
_HANDED_OVER = ("list_alerts", "list_export", "model_evaluation")
_FAILURES = "select siren, periode from model_target where target and not en_procedure"


class BacktestConfig(dg.Config):
    """How far apart the origins of the backtest are."""

    every_months: int = 12


def _origins(gate: Gate, session: Session, month: date, parameters: Parameters, every: int) -> tuple[Origin, ...]:
    """Open the months and labels that a backtest of `month` learns from and measures; return its origins."""
    usable = usable_months(session, month, parameters)
    gate.require(session, [(TARGET.name, month), *(("feat_matrix", m) for m in usable)])
    session.bind({TARGET: month})
    session.bind_months([gate.table("feat_matrix")], usable)
    failures = session.connection.execute(_FAILURES).pl()
    return rolling_origins(month, usable, failures, rules_of(parameters), every=every)


def _keep(session: Session, table: Table, rows: pl.DataFrame | str, month: date, run_id: str) -> dict[str, Any]:
    """Replace a month of a table by the rows of a frame or query; return what is told of it."""
    message = f"{table.name} {month:%Y-%m}"
    write = session.replace({table: rows}, where={"month": month}, author=run_id, message=message)[table.name]
    return told(write) | shown(session, table, month)


@dg.asset(
    **stamp(
        BACKTEST,
        "evaluation",
        description="One row is one company and past month scored by one method that learned only what was known at an "
        "origin before: labels of the months whose horizon had not passed are not. `nouvelles` are scores by methods that never "
        "learned from the company they score.",
        starts_from=DRAW,
        made_in=__name__,
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
    """Go back to each origin, learn what was known then, and score the months that followed."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        session.connection.register("nothing", frame_of(BACKTEST, ()).to_arrow())
        session.connection.execute("create or replace temp table scored_rows as select * from nothing")
        origins = _origins(gate, session, month, parameters, config.every_months)
        for origin in origins:
            with session.reading():
                for scores in backtest(
                    origin, METHODS, load=lambda m: load(session, m), draw=lambda m: draw(session, m)
                ):
                    session.connection.register("scores", scores.to_arrow())
                    session.connection.execute("insert into scored_rows by name select * from scores")
            context.log.info(f"origin {origin.month:%Y-%m}: {len(origin.training)} months learned from")
        if not origins:
            context.log.warning(f"no origin before {month:%Y-%m} has enough known failures to learn from")
        metadata = _keep(session, BACKTEST, "select * from scored_rows", month, context.run_id)
        session.connection.execute("drop table scored_rows")
    return dg.MaterializeResult(metadata=metadata | {"origins": [f"{one.month:%Y-%m}" for one in origins]})


def _backtested(gate: Gate, session: Session, month: date, parameters: Parameters) -> Panel | None:
    """Open the backtest of a month with what became of its rows; return them, None when no month was scored."""
    gate.require(session, [(name, month) for name in (BACKTEST.name, TARGET.name, "clean_procedure_episode")])
    described = ("feat_company_month", "feat_matrix")
    gate.require(session, [(name, scored) for scored in bind_backtest(session, month) for name in described])
    return load_panel(session, parameters.cutoff_shift_days)


@dg.asset(
    **stamp(
        FIGURES,
        "evaluation",
        description="One row is one figure of one method in the backtest, with its interval by companies drawn again: for "
        "all rows, by origin, sector, size, region, age, and in 2020-2021.",
        starts_from=ROWS,
        made_in=__name__,
        kinds={"python", "numpy"},
    ),
    deps=["eval_backtest", "model_target", "clean_procedure_episode", "feat_company_month", "feat_matrix"],
)
def eval_figures(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, parameters: ParametersResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Measure every method, in every reading and group."""
    month = parse_month(context.partition_key)
    found: list[Row] = []
    with warehouse.session() as session:
        panel = _backtested(gate, session, month, parameters)
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
                found += [{"methode": method, "entreprises": companies} | row for row in figures]
        metadata = _keep(session, FIGURES, frame_of(FIGURES, found), month, context.run_id)
    return dg.MaterializeResult(metadata=metadata)


@dg.asset(
    **stamp(
        CHAMPION,
        "evaluation",
        description="One row is one method that challenged the champion in the backtest. It replaces the champion only when "
        "its average precision is higher beyond noise; lists of later months follow.",
        starts_from=ROWS,
        made_in=__name__,
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
    """Compare every method with the champion: the method of the month's list, which follows the decision before."""
    month = parse_month(context.partition_key)
    rows = decision_rows("", ())
    with warehouse.session() as session:
        panel = _backtested(gate, session, month, parameters)
        if panel:
            gate.require(session, [(FITTED.name, month)])
            session.bind({FITTED: month})
            (champion,) = session.connection.execute("select methode from model_fitted where retained").fetchall()[0]
            kept = ~panel.en_procedure
            weights = draw_weights(len(panel.companies))
            precisions = {}
            for method in (method for method, companies in backtested_methods(session) if companies == ALL_COMPANIES):
                ranks = panel.ranks(load_scores(session, panel, method, ALL_COMPANIES), kept)
                precisions[method] = ranking(ranks[kept], panel.target[kept], panel.company[kept], weights)[1]
            rows = decision_rows(champion, compare_with_champion(champion, precisions))
        # A decision stands as it was made: a past that is computed again does not undo it.
        session.inputs.clear()
        metadata = _keep(session, CHAMPION, rows, month, context.run_id)
    said = rows["decision"][0] if rows.height else "nothing to compare"
    return dg.MaterializeResult(metadata=metadata | {"decision": said})


@dg.asset(
    **stamp(
        UTILITY,
        "evaluation",
        description="One row is one theme or source of features: the average precision that methods lose without it, and "
        "what it reaches alone, over the last origins of the backtest.",
        starts_from=DRAW,
        made_in=__name__,
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
    """Learn without each theme and source, and from each alone."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        origins = _origins(gate, session, month, parameters, config.every_months)[-ORIGINS:]
        with session.reading():
            worth = utility(
                origins,
                load=lambda m: load(session, m),
                draw=lambda m: draw(session, m, at_most=LEARNING_ROWS),
                groups=feature_groups(),
            )
        metadata = _keep(session, UTILITY, worth, month, context.run_id)
    nothing = worth.filter(~pl.col("apporte"))
    return dg.MaterializeResult(metadata=metadata | {"adds_nothing": nothing["nom"].to_list()})


@dg.asset(
    **stamp(
        DRIFT,
        "evaluation",
        description="One row is one input or score of the month against the same month of the years learned from: "
        "population stability index, share of known values, median.",
        starts_from=REFERENCE,
        made_in=__name__,
        kinds={"python", "numpy"},
    ),
    deps=["feat_matrix", "model_fitted"],
)
def eval_drift(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, folders: FoldersResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Compare the month with the months its models learned from."""
    month = parse_month(context.partition_key)
    store = ModelStore(Path(folders.models))
    with warehouse.session() as session:
        gate.require(session, [("feat_matrix", month), (FITTED.name, month)])
        session.bind({FITTED: month, gate.table("feat_matrix"): month})
        current = session.connection.execute("select * from feat_matrix order by siren").pl()
        learned = session.connection.execute(
            "select methode, version, training_from, training_to from model_fitted "
            "where training_from is not null and version is not null order by methode"
        ).fetchall()
        found = [frame_of(DRIFT, ())]
        if learned:
            reference = reference_rows(session, month, *learned[0][2:])
            found.append(drift("variable", reference, current, NAMES))
            methods = {name: store.load(month, name, version)[0] for name, version, *_ in learned if name in METHODS}
            before, now = (
                pl.DataFrame({name: score(method, rows) for name, method in methods.items()})
                for rows in (reference, current)
            )
            found.append(drift("score", before, now, tuple(methods)))
        metadata = _keep(session, DRIFT, pl.concat(found), month, context.run_id)
    return dg.MaterializeResult(metadata=metadata)


@dg.asset(
    **stamp(
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
    """Look at the lists handed over whose outcome is known now."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        gate.require(session, [(TARGET.name, month)])
        session.bind({TARGET: month})
        known = {periode for (periode,) in session.connection.execute(_LABELLED).fetchall()}
        handed_over = [m for m in session.months("list_export") if m < month and m in known]
        gate.require(session, [(name, m) for m in handed_over for name in _HANDED_OVER])
        session.bind_months([gate.table(name) for name in _HANDED_OVER], handed_over)
        metadata = _keep(session, VERIFICATION, _VERIFICATION.text, month, context.run_id)
    return dg.MaterializeResult(metadata=metadata)


ASSETS = (eval_backtest, eval_figures, eval_champion, eval_utility, eval_drift, eval_verification)
