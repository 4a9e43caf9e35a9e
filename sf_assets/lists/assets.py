"""The list assets: the companies in alert with their reasons, then, behind the gate, the files handed over."""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl

from sf_assets import __version__
from sf_assets.catalogue import TABLES
from sf_assets.failures import PermanentFailure
from sf_assets.features.registry import NAMES
from sf_assets.lists.document import Edition, document
from sf_assets.lists.export import write_list
from sf_assets.lists.history import with_history
from sf_assets.lists.readme import About
from sf_assets.lists.reasons import main_reasons
from sf_assets.lists.selection import select
from sf_assets.lists.tables import ALERTS, EXPORT
from sf_assets.materialization import gate, shown, stamp, told
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.explanations import waterfall
from sf_assets.model.methods import ScoringMethod
from sf_assets.model.store import ModelStore
from sf_assets.partitions import DUE_DAY, add_months, cutoff_of, parse_month
from sf_assets.pictures.bars import bars
from sf_assets.pictures.svg import ORANGE, RED, embedded
from sf_assets.queries import read_query
from sf_assets.resources import Folders, Parameters
from sf_assets.storage import Session, Warehouse

_READS = ("feat_company_month", "feat_matrix", "clean_filter", "siren_blacklist", "model_fitted", "model_scores")

COMPANIES = f"""
    select
        c.* exclude (age_entreprise),
        s.probabilite,
        f.siren is not null as dans_perimetre,
        {", ".join(f"m.{name}" for name in NAMES)}
    from feat_company_month as c
    join feat_matrix as m using (siren)
    join model_scores as s using (siren)
    join model_fitted as r on s.methode = r.methode and s.model_version = r.version and r.retained
    left join clean_filter as f on c.siren = f.siren
    where s.version = (select max(version) from model_scores)
    order by c.siren
"""

_FORMER_ALERTS = read_query(files("sf_assets.lists"), "former_alerts")
_LISTED = "select * from list_alerts where scores_version = $version order by rang"
_FORMER = "select max(scores_version) from list_export where scores_version < $version"


@dataclass(frozen=True, slots=True)
class _Retained:
    """The method of the month's list: its row of `model_fitted`, the fitted method, the version of the scores."""

    method: ScoringMethod
    thresholds: Thresholds
    statement: str | None
    scores_version: int


def _retained(session: Session, month: date, folders: Folders) -> _Retained:
    row = session.connection.execute(
        "select methode, version, seuil_modere, seuil_fort, statement, (select max(version) from model_scores) "
        "from model_fitted where retained"
    ).fetchone()
    if row is None:
        raise LookupError(f"model_fitted, {month:%Y-%m}: expected one method retained for the list, found none")
    name, version, modere, fort, statement, scores_version = row
    method, _ = ModelStore(Path(folders.models)).load(month, name, version)
    return _Retained(method, Thresholds(modere=modere, fort=fort), statement, scores_version)


def _companies(session: Session, month: date) -> pl.DataFrame:
    """Return every company of the month with its score by the retained method, as it stands now."""
    companies = session.connection.execute(COMPANIES).pl()
    (expected,) = session.connection.execute("select count(*) from feat_matrix").fetchall()[0]
    if companies.height != expected:
        raise PermanentFailure(
            f"model_scores, {month:%Y-%m}: expected scores of {expected} companies by the method of model_fitted, found "
            f"{companies.height}. The models or the features changed since: materialise model_scores again."
        )
    return companies


def _open(session: Session, month: date) -> None:
    gate(session, [(name, month) for name in _READS])
    session.bind({TABLES[name]: month for name in _READS})


@dg.asset(
    **stamp(
        ALERTS,
        "lists",
        description="One row is one company in alert at the month's cut-off, with its level, its rank and its three main "
        "reasons in French. Companies in a known procedure are not on it: they need no detection.",
        query=COMPANIES,
        kinds={"python", "polars"},
    ),
    deps=list(_READS),
)
def list_alerts(
    context: dg.AssetExecutionContext, warehouse: Warehouse, folders: Folders
) -> dg.MaterializeResult[None]:
    """Select the companies in alert and say why."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        _open(session, month)
        session.bind({ALERTS: None, EXPORT: None})
        former = session.connection.execute(_FORMER_ALERTS.text, {"month": month}).pl()
        compared = add_months(month, -1) in session.months(EXPORT.name)
        found = _retained(session, month, folders)
        companies = select(_companies(session, month), found.thresholds)
        alerts = with_history(companies.filter(pl.col("niveau") > 0), former, month, compared=compared)
        contributions = found.method.contributions(alerts)
        explained = found.method.explained(found.method.base_ + contributions.sum(axis=1))
        reasons = main_reasons(alerts, contributions, found.method.features, month=month, typical=found.method.typical_)
        listed = alerts.join(reasons, on="siren", how="left", maintain_order="left").with_columns(
            pl.col("niveau").cast(pl.Int32),
            methode=pl.lit(found.method.name),
            scores_version=pl.lit(found.scores_version, pl.Int32),
            ecart_explications=pl.Series(np.abs(explained - alerts["probabilite"].to_numpy())),
        )
        write = session.replace(
            {ALERTS: listed.select(ALERTS.column_names)},
            where={"month": month, "scores_version": found.scores_version},
            author=context.run_id,
            message=f"list of {month:%Y-%m}",
        )[ALERTS.name]
        seen = shown(session, ALERTS, month)
    return dg.MaterializeResult(
        metadata=told(write)
        | seen
        | {
            "companies_scored": companies.height,
            "by_department": dg.MetadataValue.md(embedded(_by_department(alerts), "alerts by department")),
            "risque_fort": alerts.filter(pl.col("niveau") == 2).height,  # noqa: PLR2004 - the level's rank
            "risque_modere": alerts.filter(pl.col("niveau") == 1).height,
            "set_aside": companies["exclusion"].count(),
            "method": found.method.name,
            "scores_version": found.scores_version,
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
    **stamp(
        EXPORT,
        "lists",
        description="One row is one file of the month's list as handed over: Parquet, CSV and XLSX of the alerts, and the "
        "application's JSON document of all companies. Nothing is written unless every gate of the month passed.",
        query=COMPANIES,
        kinds={"python", "parquet", "excel", "json"},
    ),
    deps=["list_alerts", *_READS],
    # Of any month: which one is due, a check of `status` tells.
    freshness_policy=dg.FreshnessPolicy.cron(
        deadline_cron=f"0 7 {DUE_DAY + 1} * *", lower_bound_delta=timedelta(days=DUE_DAY), timezone="Europe/Paris"
    ),
)
def list_export(
    context: dg.AssetExecutionContext, warehouse: Warehouse, folders: Folders, parameters: Parameters
) -> dg.MaterializeResult[None]:
    """Write the files of the list, all or none."""
    month = parse_month(context.partition_key)
    cutoff = cutoff_of(month, parameters.cutoff_shift_days)
    with warehouse.session() as session:
        _open(session, month)
        gate(session, [("list_alerts", month)])
        session.bind({ALERTS: month, EXPORT: month})
        found = _retained(session, month, folders)
        companies = select(_companies(session, month), found.thresholds)
        listed = session.connection.execute(_LISTED, {"version": found.scores_version}).pl()
        ((former,),) = session.connection.execute(_FORMER, {"version": found.scores_version}).fetchall()
        alerts = companies.filter(pl.col("niveau") > 0)
        explained = waterfall(
            found.method.contributions(alerts), alerts["probabilite"].to_numpy(), found.method.features
        )
        edition = Edition(month, cutoff, f"{found.method.name} {__version__}", found.thresholds)
        paths = write_list(
            listed,
            document(companies, alerts, explained, found.method.features, edition),
            root=Path(folders.lists),
            about=About(month, cutoff, found.method.label, found.method.learns, found.thresholds, found.statement),
            former=former,
        )
        rows = pl.DataFrame(
            [{"file": path.name, "bytes": path.stat().st_size, "sha256": _sha256(path)} for path in paths]
        ).with_columns(
            companies=pl.lit(listed.height, pl.Int64),
            methode=pl.lit(found.method.name),
            scores_version=pl.lit(found.scores_version, pl.Int32),
        )
        write = session.replace(
            {EXPORT: rows},
            where={"month": month, "scores_version": found.scores_version},
            author=context.run_id,
            message=f"export of {month:%Y-%m}",
        )[EXPORT.name]
        seen = shown(session, EXPORT, month)
    return dg.MaterializeResult(
        metadata=told(write)
        | seen
        | {path.suffix.removeprefix("."): dg.MetadataValue.path(str(path)) for path in paths}
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


ASSETS = (list_alerts, list_export)
