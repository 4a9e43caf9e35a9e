"""The list assets: the companies in alert with their reasons, then, behind the gate, the files handed over."""

from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl

from sf_assets.engine.charts.bars import bars
from sf_assets.engine.charts.svg import ORANGE, RED, embedded
from sf_assets.engine.materialization import asset_arguments, preview_metadata, write_metadata
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.quality.verdicts import accepted_of, last_writes, verdicts_on
from sf_assets.engine.queries import read_query
from sf_assets.engine.resources import FoldersResource, GateResource, ParametersResource, WarehouseResource
from sf_assets.engine.storage import Session, frame_of
from sf_assets.features.registry import DETTE, THEMES
from sf_assets.lists.corrections import MACRO, correct
from sf_assets.lists.document import Edition, document
from sf_assets.lists.export import sha256_of, write_list
from sf_assets.lists.history import with_history
from sf_assets.lists.readme import About
from sf_assets.lists.reasons import main_reasons
from sf_assets.lists.scored import COMPANIES, companies_of, retained, with_corrections
from sf_assets.lists.selection import select
from sf_assets.lists.tables import ALERTS, CORRECTED, EXPORT, LIST_VERSIONS
from sf_assets.lists.versions import changes, handed_over, require_current, standing, version_of
from sf_assets.model.explanations import by_theme, waterfall
from sf_assets.model.tables import EVALUATION
from sf_assets.staging.in_force import reads_at
from sf_assets.vocabulary.partitions import DUE_DAY, add_months, cutoff_of, parse_month
from sf_assets.vocabulary.version import VERSION

_READS = ("feat_company_month", "feat_matrix", "clean_filter", "siren_blacklist", "model_fitted", "model_scores")

_SIGNALS = read_query(files("sf_assets.lists"), "list_signals")
_FORMER_ALERTS = read_query(files("sf_assets.lists"), "former_alerts")
_PRECISIONS = """
    select mesure, valeur from model_evaluation
    where methode = $methode and lecture = 'hors_procedure' and mesure in ('fort_precision', 'modere_precision')
"""
_LISTED = "select * from list_alerts where version = $version order by rang"


def _open(gate: Gate, session: Session, month: date) -> None:
    gate.require(session, [(name, month) for name in _READS])
    session.bind({gate.table(name): month for name in _READS})


@dg.asset(
    **asset_arguments(
        CORRECTED,
        "lists",
        description="One row is one company whose level the expert corrections of the deployment change, with the rules "
        "that voted for it. There is none unless SF_CORRECTIONS names rules.",
        starts_from=_SIGNALS.text,
        made_in=__name__,
        kinds={"duckdb", "polars"},
    ),
    deps=[*_READS, *(name for name in _SIGNALS.reads if name not in _READS)],
)
def list_corrections(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    folders: FoldersResource,
    parameters: ParametersResource,
    gate: GateResource,
) -> dg.MaterializeResult[None]:
    """Apply the corrections to the levels of the model."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        _open(gate, session, month)
        found = retained(session, month, Path(folders.models))
        changed = frame_of(CORRECTED, ()).drop("scores_version")
        if parameters.corrections:
            reads, gates = reads_at(gate, session, [name for name in _SIGNALS.reads if name not in _READS], month)
            gate.require(session, gates)
            session.bind(reads)
            signals = session.connection.execute(
                _SIGNALS.text, {"cutoff": cutoff_of(month, parameters.cutoff_shift_days)}
            ).pl()
            companies = select(companies_of(session, month), found.thresholds).filter(pl.col("exclusion").is_null())
            themes = by_theme(found.method.contributions(companies), found.method.features)
            debt = themes[:, list(THEMES).index(DETTE)]
            heaviest = pl.Series(MACRO, (debt > 0) & (debt >= themes.max(axis=1)))
            changed = correct(companies.with_columns(heaviest).join(signals, on="siren"), parameters.corrections, month)
        rows = changed.with_columns(scores_version=pl.lit(found.scores_version, pl.Int32))
        write = session.replace(
            {CORRECTED: rows},
            where={"month": month, "scores_version": found.scores_version},
            author=context.run_id,
            message=f"corrections of {month:%Y-%m}",
        )[CORRECTED.name]
        seen = preview_metadata(session, CORRECTED, month)
    return dg.MaterializeResult(metadata=write_metadata(write) | seen | {"rules": list(parameters.corrections)})


@dg.asset(
    **asset_arguments(
        ALERTS,
        "lists",
        description="One row is one company in alert at the month's cut-off, with its level, its rank and its three main "
        "reasons in French. Companies in a known procedure are not on it: they need no detection.",
        starts_from=COMPANIES,
        made_in=__name__,
        kinds={"python", "polars"},
    ),
    deps=[*_READS, CORRECTED.name],
)
def list_alerts(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    folders: FoldersResource,
    parameters: ParametersResource,
    gate: GateResource,
) -> dg.MaterializeResult[None]:
    """Select the companies in alert and say why."""
    month = parse_month(context.partition_key)
    cutoff = cutoff_of(month, parameters.cutoff_shift_days)
    with warehouse.session() as session:
        _open(gate, session, month)
        gate.require(session, [(CORRECTED.name, month)])
        session.bind({ALERTS: None, EXPORT: None, CORRECTED: month})
        former = session.connection.execute(_FORMER_ALERTS.text, {"month": month}).pl()
        compared = add_months(month, -1) in session.months(EXPORT.name)
        found = retained(session, month, Path(folders.models))
        companies = with_corrections(session, month, found)
        alerts = with_history(companies.filter(pl.col("niveau") > 0), former, month, compared=compared)
        contributions = found.method.contributions(alerts)
        explained = found.method.score_of_total(found.method.base_ + contributions.sum(axis=1))
        reasons = main_reasons(
            alerts, contributions, found.method.features, cutoff=cutoff, typical=found.method.typical_
        )
        listed = alerts.join(reasons, on="siren", how="left", maintain_order="left").with_columns(
            pl.col("niveau").cast(pl.Int32),
            methode=pl.lit(found.method.name),
            ecart_explications=pl.Series(np.abs(explained - alerts["probabilite"].to_numpy())),
        )
        session.bind({EXPORT: month, LIST_VERSIONS: month})
        version = version_of(
            session,
            listed.select(name for name in ALERTS.column_names if name in listed.columns),
            found.thresholds,
            found.scores_version,
        )
        numbered = listed.with_columns(
            scores_version=pl.lit(version.scores_version, pl.Int32), version=pl.lit(version.number, pl.Int32)
        )
        described = frame_of(
            LIST_VERSIONS,
            [
                {
                    "version": version.number,
                    "methode": found.method.name,
                    "seuil_modere": found.thresholds.modere,
                    "seuil_fort": found.thresholds.fort,
                    "companies": listed.height,
                    "forts": listed.filter(pl.col("niveau") == 2).height,  # noqa: PLR2004 - the level's rank
                    "digest": version.digest,
                    "scores_version": version.scores_version,
                }
            ],
        )
        write = session.replace(
            {ALERTS: numbered.select(ALERTS.column_names), LIST_VERSIONS: described},
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
            "by_department": dg.MetadataValue.md(embedded(_by_department(alerts), "alerts by department")),
            "risque_fort": alerts.filter(pl.col("niveau") == 2).height,  # noqa: PLR2004 - the level's rank
            "risque_modere": alerts.filter(pl.col("niveau") == 1).height,
            "set_aside": companies["exclusion"].count(),
            "method": found.method.name,
            "scores_version": found.scores_version,
            "version": version.number,
        }
    )


def _by_department(alerts: pl.DataFrame) -> str:
    """Draw the number of companies in alert by department, the most first."""
    counts = (
        alerts.group_by("departement")
        .agg(fort=(pl.col("niveau") == 2).sum(), modere=(pl.col("niveau") == 1).sum())  # noqa: PLR2004 - the level's rank
        .sort(pl.sum_horizontal("fort", "modere"), "departement", descending=[True, False])
    )
    rows = [(name or "unknown", {"fort": fort, "modéré": modere}) for name, fort, modere in counts.iter_rows()]
    return bars(rows, title="Alerts by department", colours=(RED, ORANGE))


@dg.asset(
    **asset_arguments(
        EXPORT,
        "lists",
        description="One row is one file of the month's list as handed over: Parquet, CSV and XLSX of the alerts, and the "
        "application's JSON document of all companies. Nothing is written unless every gate of the month passed.",
        starts_from=COMPANIES,
        made_in=__name__,
        kinds={"python", "parquet", "excel", "json"},
    ),
    deps=["list_alerts", EVALUATION.name, *_READS],
    # Of any month: which one is due, a check of `status` tells.
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
    """Write the files of the list, all or none."""
    month = parse_month(context.partition_key)
    cutoff = cutoff_of(month, parameters.cutoff_shift_days)
    with warehouse.session() as session:
        _open(gate, session, month)
        gate.require(session, [("list_alerts", month), (EVALUATION.name, month)])
        session.bind({EVALUATION: month, ALERTS: month, EXPORT: month, LIST_VERSIONS: month, CORRECTED: month})
        found = retained(session, month, Path(folders.models))
        companies = with_corrections(session, month, found)
        version = standing(session)
        listed = session.connection.execute(_LISTED, {"version": version}).pl()
        former = handed_over(session)
        alerts = companies.filter(pl.col("niveau") > 0)
        require_current(listed, alerts, month)
        explained = waterfall(
            found.method.contributions(alerts), alerts["probabilite"].to_numpy(), found.method.features
        )
        precisions = dict(session.connection.execute(_PRECISIONS, {"methode": found.method.name}).fetchall())
        edition = Edition(month, cutoff, f"{found.method.name} {VERSION}", found.thresholds)
        about = About(
            month,
            cutoff,
            found.method.label,
            found.method.learns,
            found.thresholds,
            found.statement,
            found.choice,
            changes(session, month, listed, found.method.name, found.thresholds),
            _accepted(gate, session, month),
            parameters.perimeter_staff,
            parameters.perimeter_months,
            precisions.get("fort_precision"),
            precisions.get("modere_precision"),
        )
        paths = write_list(
            listed,
            document(companies, alerts, explained, found.method.features, edition),
            root=Path(folders.lists),
            about=about,
            former=former,
        )
        checksums = {path.name: sha256_of(path) for path in paths}
        number = former.next(checksums)
        rows = pl.DataFrame(
            [{"file": path.name, "bytes": path.stat().st_size, "sha256": checksums[path.name]} for path in paths]
        ).with_columns(
            companies=pl.lit(listed.height, pl.Int64),
            methode=pl.lit(found.method.name),
            list_version=pl.lit(version, pl.Int32),
            scores_version=pl.lit(
                former.scores_version if number == former.version else found.scores_version, pl.Int32
            ),
        )
        write = session.replace(
            {EXPORT: rows},
            where={"month": month, "version": number},
            author=context.run_id,
            message=f"export of {month:%Y-%m}, version {number}",
        )[EXPORT.name]
        if 0 < former.version < number:
            context.log.warning(
                f"the list of {month:%Y-%m} was handed over: its files stay beside version {number}, in the folder of "
                f"version {former.version}"
            )
        seen = preview_metadata(session, EXPORT, month)
    return dg.MaterializeResult(
        metadata=write_metadata(write)
        | seen
        | {"version": number, "list_version": version}
        | {path.suffix.removeprefix("."): dg.MetadataValue.path(str(path)) for path in paths}
    )


def _accepted(gate: Gate, session: Session, month: date) -> tuple[str, ...]:
    """Return the failed checks that an operator accepted for the month, with the reason."""
    judged = [(asset, month) for asset in gate.suites if asset != EXPORT.name]
    verdicts = verdicts_on(session, judged)
    # One of a former write of the rows holds no more.
    written = last_writes(session, gate.suites, sorted({(asset, month) for asset, _, _ in verdicts}))
    held = accepted_of(session, verdicts)
    return tuple(
        f"{one.asset}, {one.check_name} : {one.reason}"
        for (asset, _, _), one in held.items()
        if one.snapshot == written.get((asset, month))
    )


ASSETS = (list_corrections, list_alerts, list_export)
