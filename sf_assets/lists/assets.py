"""The list assets: levels changed by expert rules, the companies in alert with their reasons, the files handed over."""

from datetime import date, timedelta
from importlib.resources import files

import dagster as dg
import numpy as np
import polars as pl

from sf_assets.engine.charts.svg import embedded
from sf_assets.engine.materialization import asset_arguments, preview_metadata, write_metadata
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.queries import read_query
from sf_assets.engine.resources import FoldersResource, GateResource, ParametersResource, WarehouseResource
from sf_assets.engine.storage import Session, frame_of
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.features.registry import DETTE, THEMES
from sf_assets.lists import contact, known_answers, received
from sf_assets.lists.charts import alerts_by_department
from sf_assets.lists.expert_rules import DEBT_IS_MAIN_THEME, apply_expert_rules
from sf_assets.lists.export import write_list
from sf_assets.lists.known_answers import with_known_answers
from sf_assets.lists.month_list import READS, bind_list, month_list
from sf_assets.lists.previous_list import with_previous_list
from sf_assets.lists.readme_facts import acceptances_in_force, accepted_checks
from sf_assets.lists.reasons import main_reasons
from sf_assets.lists.scored import COMPANIES, companies_with_levels, scored_companies, selected_method
from sf_assets.lists.selection import select
from sf_assets.lists.staff import HEADCOUNT
from sf_assets.lists.tables import ALERTS, ANSWERS, CORRECTED, EXPORT, LIST_VERSIONS
from sf_assets.lists.versions import last_handed_over, row_of_version, version_of
from sf_assets.model.explanations import by_theme
from sf_assets.model.tables import EVALUATION
from sf_assets.staging.in_force import reads_at
from sf_assets.vocabulary.partitions import DUE_DAY, add_months, cutoff_of, parse_month

_SIGNALS = read_query(files("sf_assets.lists"), "list_signals")
_PREVIOUS_ALERTS = read_query(files("sf_assets.lists"), "previous_alerts")
# What is said of the companies in alert besides their risk.
BESIDE = (*contact.READS, *known_answers.READS)


def _open(gate: Gate, session: Session, month: date) -> None:
    gate.require(session, [(name, month) for name in READS])
    session.bind({gate.table(name): month for name in READS})


@dg.asset(
    **asset_arguments(
        CORRECTED,
        "lists",
        description="One row is one company whose alert level the expert rules of the deployment change, with the rules "
        "that voted for the change. The table is empty unless SF_CORRECTIONS names rules.",
        starts_from=_SIGNALS.text,
        made_in=__name__,
        settings=("corrections", "cutoff_shift_days"),
        kinds={"duckdb", "polars"},
    ),
    deps=[*READS, *(name for name in _SIGNALS.reads if name not in READS)],
)
def list_corrections(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    folders: FoldersResource,
    parameters: ParametersResource,
    gate: GateResource,
) -> dg.MaterializeResult[None]:
    """Apply the expert rules to the levels that the model gives."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        _open(gate, session, month)
        selected = selected_method(session, month, folders.models)
        changed = frame_of(CORRECTED, ()).drop("scores_version")
        if parameters.corrections:
            reads, gates = reads_at(gate, session, [name for name in _SIGNALS.reads if name not in READS], month)
            gate.require(session, gates)
            session.bind(reads)
            signals = session.connection.execute(
                _SIGNALS.text, {"cutoff": cutoff_of(month, parameters.cutoff_shift_days)}
            ).pl()
            companies = select(scored_companies(session, month), selected.thresholds).filter(
                pl.col("exclusion").is_null()
            )
            themes = by_theme(selected.method.contributions(companies), selected.method.features_)
            debt = themes[:, list(THEMES).index(DETTE)]
            debt_weighs_most = pl.Series(DEBT_IS_MAIN_THEME, (debt > 0) & (debt >= themes.max(axis=1)))
            changed = apply_expert_rules(
                companies.with_columns(debt_weighs_most).join(signals, on="siren"), parameters.corrections, month
            )
        rows = changed.with_columns(scores_version=pl.lit(selected.scores_version, pl.Int32))
        write = session.replace(
            {CORRECTED: rows},
            where={"month": month, "scores_version": selected.scores_version},
            author=context.run_id,
            message=f"corrections of {month:%Y-%m}",
        )[CORRECTED.name]
        seen = preview_metadata(session, CORRECTED, month)
    return dg.MaterializeResult(metadata=write_metadata(write) | seen | {"rules": list(parameters.corrections)})


@dg.asset(
    **asset_arguments(
        ANSWERS,
        "lists",
        description=received.QUERY.header,
        query=received.QUERY,
        kinds={"duckdb", "sql"},
        made_in=__name__,
    ),
    deps=[received.RETURNS],
)
def list_answers(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Gather the answers of officers that came back until the month."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        write = received.gather_answers(session, gate, month, context.run_id)
        seen = preview_metadata(session, ANSWERS, month)
    return dg.MaterializeResult(metadata=write_metadata(write) | seen)


@dg.asset(
    **asset_arguments(
        ALERTS,
        "lists",
        description="One row is one company in alert at the month's cut-off, with its level, its rank and its three main "
        "reasons in French. Companies already in a known procedure are left out: they need no detection.",
        starts_from=COMPANIES,
        made_in=__name__,
        settings=("cutoff_shift_days",),
        kinds={"python", "polars"},
    ),
    deps=[*READS, CORRECTED.name, *BESIDE],
)
def list_alerts(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    folders: FoldersResource,
    parameters: ParametersResource,
    gate: GateResource,
) -> dg.MaterializeResult[None]:
    """Select the companies in alert and write their reasons."""
    month = parse_month(context.partition_key)
    cutoff = cutoff_of(month, parameters.cutoff_shift_days)
    with warehouse.session() as session:
        _open(gate, session, month)
        gate.require(session, [(name, month) for name in (CORRECTED.name, *BESIDE)])
        session.bind({ALERTS: None, EXPORT: None} | {gate.table(name): month for name in (CORRECTED.name, *BESIDE)})
        previous = session.connection.execute(_PREVIOUS_ALERTS.text, {"month": month}).pl()
        compared = add_months(month, -1) in session.months(EXPORT.name)
        selected = selected_method(session, month, folders.models)
        companies = companies_with_levels(session, month, selected)
        alerts = with_previous_list(companies.filter(pl.col("niveau") > 0), previous, month, compared=compared)
        contributions = selected.method.contributions(alerts)
        explained = selected.method.score_of_total(selected.method.base_ + contributions.sum(axis=1))
        reasons = main_reasons(
            alerts, contributions, selected.method.features_, cutoff=cutoff, typical=selected.method.typical_
        )
        listed = (
            with_known_answers(session, contact.with_contact(session, alerts))
            .join(reasons, on="siren", how="left", maintain_order="left")
            .with_columns(
                *([] if HEADCOUNT in alerts.columns else [pl.lit(None, pl.Float64).alias(HEADCOUNT)]),
                pl.col("niveau").cast(pl.Int32),
                methode=pl.lit(selected.method.name),
                ecart_explications=pl.Series(np.abs(explained - alerts["probabilite"].to_numpy())),
            )
        )
        session.bind({EXPORT: month, LIST_VERSIONS: month})
        version = version_of(
            session,
            listed.select(name for name in ALERTS.column_names if name in listed.columns),
            selected.thresholds,
            selected.scores_version,
        )
        numbered = listed.with_columns(
            scores_version=pl.lit(version.scores_version, pl.Int32), version=pl.lit(version.number, pl.Int32)
        )
        version_row = row_of_version(version, listed, selected.method.name, selected.thresholds)
        write = session.replace(
            {ALERTS: numbered.select(ALERTS.column_names), LIST_VERSIONS: version_row},
            where={"month": month, "version": version.number},
            author=context.run_id,
            message=f"list of {month:%Y-%m}, version {version.number}",
        )[ALERTS.name]
        seen = preview_metadata(session, ALERTS, month)
    return dg.MaterializeResult(
        metadata=write_metadata(write)
        | seen
        | {
            "companies_scored": companies.height,
            "by_department": dg.MetadataValue.md(embedded(alerts_by_department(alerts), "alerts by department")),
            "risque_fort": alerts.filter(pl.col("niveau") == 2).height,  # noqa: PLR2004 - the level's rank
            "risque_modere": alerts.filter(pl.col("niveau") == 1).height,
            "set_aside": companies["exclusion"].count(),
            "method": selected.method.name,
            "scores_version": selected.scores_version,
            "version": version.number,
        }
    )


@dg.asset(
    **asset_arguments(
        EXPORT,
        "lists",
        description="One row is one file of the month's list as handed over: Parquet, CSV and XLSX of the alerts, and the "
        "application's JSON document of all companies. Nothing is written unless every gate of the month passed.",
        starts_from=COMPANIES,
        made_in=__name__,
        settings=("cutoff_shift_days", "mode", "perimeter_months", "perimeter_staff"),
        kinds={"python", "parquet", "excel", "json"},
    ),
    deps=[ALERTS.name, CORRECTED.name, EVALUATION.name, *READS],
    # Dagster's policy covers lists of any month; the check `latest_month_there` of `status` covers the month that is due.
    freshness_policy=dg.FreshnessPolicy.cron(
        deadline_cron=f"0 7 {DUE_DAY + 1} * *", lower_bound_delta=timedelta(days=DUE_DAY), timezone="Europe/Paris"
    ),
)
def list_export(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    folders: FoldersResource,
    parameters: ParametersResource,
    gate: GateResource,
) -> dg.MaterializeResult[None]:
    """Write the files of the list: all of them, or none."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        gate.require(session, [(name, month) for name in (*READS, ALERTS.name, CORRECTED.name, EVALUATION.name)])
        bind_list(session, gate, month)
        handed_over = last_handed_over(session)
        made = month_list(
            session,
            gate,
            month,
            models=folders.models,
            parameters=parameters,
            accepted=accepted_checks(acceptances_in_force(gate, session, month, but=EXPORT.name)),
        )
        with folders.lists.writing(month) as root:
            paths = write_list(
                made.listed,
                made.document(),
                page=made.page(),
                root=root,
                about=made.about,
                handed_over=handed_over,
                gone=made.gone,
            )
        checksums = {path.name: sha256_of(path) for path in paths}
        number = handed_over.next_version(checksums)
        rows = pl.DataFrame(
            [{"file": path.name, "bytes": path.stat().st_size, "sha256": checksums[path.name]} for path in paths]
        ).with_columns(
            companies=pl.lit(made.listed.height, pl.Int64),
            methode=pl.lit(made.selected.method.name),
            list_version=pl.lit(made.version, pl.Int32),
            scores_version=pl.lit(
                handed_over.scores_version if number == handed_over.version else made.selected.scores_version, pl.Int32
            ),
        )
        write = session.replace(
            {EXPORT: rows},
            where={"month": month, "version": number},
            author=context.run_id,
            message=f"export of {month:%Y-%m}, version {number}",
        )[EXPORT.name]
        if 0 < handed_over.version < number:
            context.log.warning(
                f"the list of {month:%Y-%m} was already handed over: version {number} is written beside it, and the files of "
                f"version {handed_over.version} stay in a folder of their own"
            )
        seen = preview_metadata(session, EXPORT, month)
    return dg.MaterializeResult(
        metadata=write_metadata(write)
        | seen
        | {"version": number, "list_version": made.version}
        | {path.suffix.removeprefix("."): dg.MetadataValue.path(str(path)) for path in paths}
    )


ASSETS = (list_answers, list_corrections, list_alerts, list_export)
