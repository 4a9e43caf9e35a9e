"""The model assets: the target, the fitted methods with their figures, and the month's scores."""

from collections.abc import Iterator, Sequence
from datetime import date
from importlib.resources import files

import dagster as dg

from sf_assets.engine.charts.svg import embedded
from sf_assets.engine.materialization import asset_arguments, preview_metadata, range_metadata, write_metadata
from sf_assets.engine.queries import read_query
from sf_assets.engine.resources import FoldersResource, GateResource, ParametersResource, WarehouseResource
from sf_assets.engine.storage import frame_of
from sf_assets.features.configurations import IN_USE_OF
from sf_assets.model.alerting import AlertRule
from sf_assets.model.charts import curve_charts, score_distribution_chart
from sf_assets.model.fitted import fitted_rows, last_writes_of, save_methods
from sf_assets.model.learning import LearningResult, learn, select_method, usable_months
from sf_assets.model.rows import LABELLED_ROWS, load_features, load_rows, sample_rows
from sf_assets.model.scoring import COMPANIES, ScoredMonth, score_month
from sf_assets.model.selection import CHAMPION, last_decision_month, preferred_choices
from sf_assets.model.splits import InsufficientHistory, Months, Split, SplitRules, plan_split, rules_for
from sf_assets.model.store import ModelStore
from sf_assets.model.tables import EVALUATION, FITTED, SCORES, TARGET
from sf_assets.staging.in_force import reads_at
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import add_months, months_of, parse_month

_TARGET = read_query(files("sf_assets.model"), TARGET.name)
# The settings that decide the months with known labels, their split, and the thresholds.
_LABELLED_BY = ("cutoff_shift_days", "delays.procol_days", "perimeter_months")
SPLIT_BY = (*_LABELLED_BY, "mode", "training_failures")
_LEARNED_BY = (*SPLIT_BY, "alert_precisions", "alert_shares")


def rules_of(parameters: Parameters) -> SplitRules:
    """Return the rules that split months in a deployment."""
    return rules_for(parameters.training_failures, parameters.cutoff_shift_days, parameters.delays)


def alert_rule_of(parameters: Parameters) -> AlertRule:
    """Return the rule that chooses the thresholds of alerts in a deployment."""
    return AlertRule(tuple(parameters.alert_shares), tuple(parameters.alert_precisions))


def unused_settings(plan: Split | InsufficientHistory, parameters: Parameters) -> list[str]:
    """Return the settings of alert thresholds that are set without effect: the threshold method has limits of its own."""
    if isinstance(plan, Split):
        return []
    return [f"SF_{name.upper()}" for name in parameters.changed(("alert_precisions", "alert_shares"))]


@dg.asset(
    **asset_arguments(
        TARGET,
        "model",
        description=_TARGET.header,
        query=_TARGET,
        kinds={"duckdb", "sql"},
        made_in=__name__,
        settings=_LABELLED_BY,
    ),
    deps=["feat_company_month", "feat_matrix", "clean_procedure_episode"],
)
def model_target(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, parameters: ParametersResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Label the companies of every past month whose horizon of eighteen months is known at this month's cut-off."""
    month = parse_month(context.partition_key)
    rules = rules_of(parameters)
    with warehouse.session() as session:
        labelled = [m for m in usable_months(session, month, parameters) if rules.label_known(m) <= rules.cutoff(month)]
        reads, gates = reads_at(gate, session, ["clean_procedure_episode"], month)
        gate.require(session, [*gates, *(("feat_company_month", m) for m in labelled)])
        session.bind(reads)
        session.bind_months([gate.table("feat_company_month")], labelled)
        span = (labelled[0], labelled[-1]) if labelled else (month, add_months(month, -1))
        write = session.replace(
            {TARGET: _TARGET.text},
            where={"month": month},
            author=context.run_id,
            message=f"target at {month:%Y-%m}",
            parameters=_TARGET.bind_values(
                parameters.query_values() | {"first": span[0], "last": span[1], "horizon_months": rules.horizon_months}
            ),
        )[TARGET.name]
        preview = preview_metadata(session, TARGET, month)
    return dg.MaterializeResult(metadata=write_metadata(write) | preview | {"labelled_months": len(labelled)})


@dg.multi_asset(
    name="model_learning",
    specs=[
        dg.AssetSpec(
            **asset_arguments(
                FITTED,
                "model",
                description="One row is one scoring method in the month: the months and rows it learned from, its "
                "thresholds, and whether the list uses it. The fitted method itself is stored in the folder of models.",
                starts_from=LABELLED_ROWS,
                made_in=__name__,
                settings=_LEARNED_BY,
                kinds={"python", "scikitlearn"},
            ),
            deps=["feat_matrix", "model_target"],
        ),
        dg.AssetSpec(
            **asset_arguments(
                EVALUATION,
                "model",
                description="One row is one figure of one method on the test months, which are later than the months it "
                "learned from and those that chose its thresholds, with and without companies already in a procedure.",
                starts_from=LABELLED_ROWS,
                made_in=__name__,
                settings=_LEARNED_BY,
                kinds={"python", "scikitlearn"},
            ),
            deps=["feat_matrix", "model_target"],
        ),
    ],
)
def model_learning(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    folders: FoldersResource,
    parameters: ParametersResource,
    gate: GateResource,
) -> Iterator[dg.MaterializeResult[None]]:
    """Fit every method, choose its thresholds, measure and store it, and select one for the list."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        usable = usable_months(session, month, parameters)
        gate.require(session, [(TARGET.name, month), *(("feat_matrix", m) for m in usable)])
        session.bind({TARGET: month})
        session.bind_months([gate.table("feat_matrix")], usable)
        with session.reading():
            failures = session.connection.execute(
                "select siren, periode from model_target where target and not en_procedure"
            ).pl()
            plan = plan_split(month, usable, failures, rules_of(parameters))
            read_months: set[date] = set()
            learned = learn(
                plan,
                lambda months: load_rows(session, _recorded(months, read_months)),
                lambda months: sample_rows(session, _recorded(months, read_months)),
                rule=alert_rule_of(parameters),
                current=(lambda: load_features(session, *_recorded((month,), read_months)))
                if month in usable
                else None,
                features=IN_USE_OF[parameters.mode],
            )
        # Months that no method read are no inputs: computing them again does not make this step stale.
        session.inputs = {
            (name, day): write
            for (name, day), write in session.inputs.items()
            if name == TARGET.name or day in read_months
        }
        if isinstance(plan, InsufficientHistory):
            context.log.warning(plan.statement)
        without_effect = unused_settings(plan, parameters)
        for name in without_effect:
            context.log.warning(f"{name}: without effect in {month:%Y-%m}, as no model could be trained")
        if decided := last_decision_month(session, month):
            gate.require(session, [(CHAMPION.name, decided)])
        choices = preferred_choices(session, month)
        selected = select_method(learned, choices)
        if choices and selected.method != choices[0].method:
            context.log.warning(f"{choices[0].method} cannot be used in {month:%Y-%m}: the list uses {selected.method}")
        snapshots = last_writes_of(session.inputs)
        versions = save_methods(learned, month, folders.models, snapshots.get("feat_matrix"))
        rows = fitted_rows(learned, selected, versions, snapshots)
        evaluated = [(result.name, result.evaluation) for result in learned if result.evaluation]
        figures = frame_of(
            EVALUATION,
            ({"methode": name} | row for name, evaluation in evaluated for row in evaluation.rows()),
        )
        writes = session.replace(
            {FITTED: rows, EVALUATION: figures},
            where={"month": month},
            author=context.run_id,
            message=f"models of {month:%Y-%m}",
        )
        preview = {table.name: preview_metadata(session, table, month) for table in (FITTED, EVALUATION)}
    yield dg.MaterializeResult(
        asset_key=FITTED.name,
        metadata=write_metadata(writes[FITTED.name])
        | preview[FITTED.name]
        | {
            "retained": selected.method,
            "statement": plan.statement if isinstance(plan, InsufficientHistory) else "supported",
        }
        | ({"without_effect": ", ".join(without_effect)} if without_effect else {})
        | {f"{result.name}_training_failures": result.training["failures"] for result in learned},
    )
    charts = {name: dg.MetadataValue.md(embedded(svg, name)) for name, svg in curve_charts(learned).items()}
    yield dg.MaterializeResult(
        asset_key=EVALUATION.name,
        metadata=write_metadata(writes[EVALUATION.name]) | preview[EVALUATION.name] | _headline(learned) | charts,
    )


def _recorded(months: Months, read_months: set[date]) -> Months:
    """Add months to those that were read, and return them."""
    read_months.update(months)
    return months


def _headline(learned: Sequence[LearningResult]) -> dict[str, float]:
    """Return the figures that Dagster plots over months, by method."""
    return {
        f"{result.name}_{name}": value
        for result in learned
        if result.evaluation
        for name, value in result.evaluation.hors_procedure.flat().items()
        if name in ("roc_auc", "average_precision", "fort_f_beta", "modere_f_beta") and value is not None
    }


@dg.asset(
    **asset_arguments(
        SCORES,
        "model",
        description="One row is one company scored by one method, in one version of the month's scores. Scoring loads the "
        "stored method and never fits. Scores of a published list are never overwritten: new scores are a new version. "
        "A month without models of its own is scored by the newest: these models learned from later months, hence such "
        "scores do not measure them.",
        starts_from=COMPANIES,
        made_in=__name__,
        kinds={"python", "scikitlearn"},
    ),
    deps=["feat_matrix", "model_fitted"],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def model_scores(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, folders: FoldersResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Score the companies of each month by every supported method."""
    months = months_of(context)
    store = ModelStore(folders.models)
    done: list[ScoredMonth] = []
    with warehouse.session() as session:
        available = session.months(FITTED.name)
        for month in months:
            fitted = month if month in available or not available else available[-1]
            gate.require(session, [("feat_matrix", month), (FITTED.name, fitted)])
            scored = score_month(
                session, month, fitted=fitted, store=store, author=context.run_id, matrix=gate.table("feat_matrix")
            )
            if scored.write is None:
                context.log.info(f"scores of {month:%Y-%m} equal version {scored.version}: nothing written")
            elif scored.published:
                context.log.warning(
                    f"the list of {month:%Y-%m} is published: its scores are retained beside version {scored.version}"
                )
            done.append(scored)
        preview = preview_metadata(session, SCORES, months[0]) if len(months) == 1 else {}
        if chart := score_distribution_chart(session, months[-1], fitted):
            preview["distribution"] = dg.MetadataValue.md(embedded(chart, "scores with the thresholds of the levels"))
    last = done[-1]
    return dg.MaterializeResult(
        metadata=range_metadata([scored.write for scored in done if scored.write], len(done))
        | preview
        | {
            "dagster/partition_row_count": sum(scored.rows for scored in done) // len(done),
            "rows": sum(scored.rows for scored in done),
            "version": last.version,
            "unchanged": all(scored.write is None for scored in done),
            "read_at_snapshot": last.snapshot,
        }
        | {f"{name}_mean_score": mean for name, mean in last.means.items()}
    )


ASSETS = (model_target, model_learning, model_scores)
