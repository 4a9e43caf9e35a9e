"""A month whose list is made by the real assets from planted companies: everything before the list is written by hand."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl

from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.engine.quality.freshness import last_writes
from sf_assets.engine.quality.rules import Outcome
from sf_assets.engine.quality.verdicts import Verdict, record_verdicts
from sf_assets.engine.storage import Session, frame_of
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.features.registry import NAMES
from sf_assets.lists.month_list import READS
from sf_assets.model.store import ModelCard, ModelStore
from sf_assets.model.threshold import ThresholdMethod
from sf_assets.vocabulary.schema import Table
from sf_assets_dev.deployment import Run
from sf_assets_tests.drawn import simulated
from sf_assets_tests.runs import Place

MONTH, NEXT = date(2025, 9, 1), date(2025, 10, 1)
COMPANIES = 60
DEPARTMENTS = ("21", "33", "69", "75")
JUDGED_AT = datetime(2025, 10, 4, tzinfo=UTC)
LISTS = ("list_answers", "list_corrections", "list_alerts", "list_export")
BY, REASON = "C. Duval", "Liste du mois"
_PASSED = (
    *READS,
    "model_evaluation",
    "clean_sirene",
    "clean_sirene_ul",
    "stg_acces",
    "src_acces",
    "stg_retour",
    "src_retour",
)


def plant(place: Place, month: date = MONTH, *, seed: int = 1) -> None:
    """Write the features, the model, the scores and the register of a month, with verdicts that pass."""
    features, _ = simulated(COMPANIES, seed)
    features = features.with_columns(siren=pl.Series([f"{n:09}" for n in range(1, COMPANIES + 1)]))
    method = ThresholdMethod(NAMES).fit(features, np.arange(COMPANIES) % 2 == 0)
    thresholds = ThresholdMethod.default_thresholds
    card = ModelCard(
        month=month,
        method=method.name,
        features=tuple(method.features_),
        thresholds=thresholds,
        figures=None,
        statement=None,
        training_months=(),
        training={},
        snapshot=None,
        code_version="test",
    )
    version = ModelStore(Shelf(place.settings.data / "models")).save(method, card)
    scores = method.predict_proba(features)[:, 1]
    sirens = features["siren"].to_list()
    rows: dict[str, list[dict[str, object]]] = {
        "feat_company_month": [
            {
                "siren": siren,
                "raison_sociale": f"ENTREPRISE {siren}",
                "siret_siege": f"{siren}00012",
                "departement": _seat(n),
                "libelle_region": "Région",
                "code_commune": "21231",
                "code_naf": "25.62B",
                "naf_section": "C",
                "categorie_juridique": "5710",
                "age_entreprise": 4.0,
            }
            for n, siren in enumerate(sirens)
        ],
        "clean_filter": [{"siren": siren} for siren in sirens],
        "siren_blacklist": [],
        "model_fitted": [
            {
                "methode": method.name,
                "supported": True,
                "version": version,
                "seuil_fort": thresholds.fort,
                "seuil_modere": thresholds.modere,
                "retained": True,
                "choice": "la seule",
            }
        ],
        "model_scores": [
            {
                "siren": siren,
                "methode": method.name,
                "version": 1,
                "probabilite": float(score),
                "model_version": version,
            }
            for siren, score in zip(sirens, scores, strict=True)
        ],
        "model_evaluation": [],
        "stg_acces": [],
        "stg_import": [],
        "src_acces": [],
        "stg_retour": [],
        "src_retour": [],
        "clean_sirene_ul": [
            {"siren": siren, "libelle_activite_principale": "Mécanique industrielle"} for siren in sirens
        ],
        # Every third company has a second establishment in another department.
        "clean_sirene": [
            {"siren": siren, "siret": f"{siren}{nic}", "siege": nic == "00012", "est_actif": True, "departement": where}
            for n, siren in enumerate(sirens)
            for nic, where in (("00012", _seat(n)), ("00020", DEPARTMENTS[0]))[: 2 if n % 3 == 0 else 1]
        ],
    }
    with place.warehouse.session() as session:
        session.replace(
            {table_of(name): frame_of(table_of(name), given) for name, given in rows.items()}
            | {TABLES["feat_matrix"]: _typed(TABLES["feat_matrix"], features)},
            where={"month": month},
            author="test",
            message="planted",
        )
        for asset in _PASSED:
            judge(session, asset, month)


def judge(session: Session, asset: str, month: date, **failed: int) -> None:
    """Store verdicts on the last write of an asset: all pass but the checks `failed`, with their numbers of refused rows."""
    snapshot = last_writes(session, SUITES, [(asset, month)]).get((asset, month))
    verdicts = [
        Verdict(asset, month, check, Outcome(check.name not in failed, failed.get(check.name, 0), 100), snapshot)
        for check in SUITES[asset].checks
    ]
    record_verdicts(session, asset, {month: verdicts}, run_id="test", judged_at=JUDGED_AT)


def make_list(place: Place, month: date = MONTH) -> Run:
    """Run the assets of the list, with their checks."""
    run = place.build(month, *LISTS)
    assert run.failures == {}
    return run


def list_twice_as_strict(place: Place, month: date = MONTH) -> None:
    """Raise the scores' thresholds and make the list again: a shorter list, as a correction needs one."""
    list_with_thresholds(place, 0.4, 0.7, month)


def list_with_thresholds(place: Place, moderate: float, strong: float, month: date = MONTH) -> None:
    """Make the list again with other thresholds of its scores."""
    others = f"replace ({moderate}::double as seuil_modere, {strong}::double as seuil_fort)"
    query = f"select * exclude (month) {others} from lake.model_fitted where month = $month"
    with place.warehouse.session() as session:
        session.replace(
            {TABLES["model_fitted"]: query},
            where={"month": month},
            author="test",
            message="thresholds",
            parameters={"month": month},
        )
        judge(session, "model_fitted", month)
    make_list(place, month)


def deliver(place: Place, table: str, rows: list[dict[str, object]], month: date = MONTH) -> None:
    """Store the rows of a delivered source, with verdicts that pass."""
    source = table.removeprefix("stg_")
    counted = {"source": source, "file": f"{source}.csv", "records": len(rows), "accepted": len(rows)}
    with place.warehouse.session() as session:
        session.replace(
            {
                table_of(table): frame_of(table_of(table), rows),
                table_of("stg_import"): frame_of(table_of("stg_import"), [counted]),
            },
            where={"month": month},
            author="test",
            message="delivered",
        )
        judge(session, table, month)
        judge(session, f"src_{source}", month)


def plant_rows(place: Place, table: str, rows: list[dict[str, object]], month: date = MONTH) -> None:
    """Store the rows of a computed table, with verdicts that pass."""
    with place.warehouse.session() as session:
        session.replace(
            {table_of(table): frame_of(table_of(table), rows)}, where={"month": month}, author="test", message="planted"
        )
        judge(session, table, month)


def table_of(asset: str) -> Table:
    """Return the table that an asset writes to."""
    table = SUITES[asset].table
    assert table is not None
    return table


def published_folder(place: Place, version: int = 1, month: date = MONTH) -> Path:
    """Return the folder of a published version."""
    return place.settings.data / "published" / f"{month:%y%m}" / f"v{version}"


def _seat(n: int) -> str:
    return DEPARTMENTS[n % len(DEPARTMENTS)]


def _typed(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        pl.col(column.name).cast(pl.Float64) if column.type == "DOUBLE" else pl.col(column.name)
        for column in table.columns
    )
