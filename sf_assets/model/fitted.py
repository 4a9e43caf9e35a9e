"""What a month learned, as stored: the fitted methods in their folder, and the rows of `model_fitted`."""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from sf_assets.engine.storage import frame_of
from sf_assets.engine.storage.inputs import AssetMonth
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.model.learning import LearningResult
from sf_assets.model.selection import Choice
from sf_assets.model.store import ModelCard, ModelStore
from sf_assets.model.tables import FITTED, TARGET
from sf_assets.vocabulary.version import VERSION


def last_writes_of(inputs: Mapping[AssetMonth, int | None]) -> dict[str, int]:
    """Return the snapshot that last wrote the rows read of each input.

    The warehouse has the same rows of it at every later snapshot that was read: learning again from the same rows records
    the same number, and the rows of the month stay as they are, with their verdicts and acceptances.
    """
    last: dict[str, int] = {}
    for (name, _), snapshot in inputs.items():
        if snapshot is not None:
            last[name] = max(last.get(name, snapshot), snapshot)
    return last


def save_methods(learned: Sequence[LearningResult], month: date, folder: Shelf, snapshot: int | None) -> dict[str, str]:
    """Store the methods that history supports; return their versions by name."""
    store = ModelStore(folder)
    return {
        result.name: store.save(
            result.fitted,
            ModelCard(
                month=month,
                method=result.name,
                features=tuple(result.fitted.features_),
                thresholds=result.thresholds,
                figures=result.evaluation.hors_procedure.flat() if result.evaluation else None,
                statement=result.statement,
                training_months=result.training_months,
                training=result.training,
                snapshot=snapshot,
                code_version=VERSION,
                reference=result.reference,
                setting=result.setting,
            ),
        )
        for result in learned
        if result.fitted is not None and result.thresholds is not None
    }


def fitted_rows(
    learned: Sequence[LearningResult], selected: Choice, versions: dict[str, str], snapshots: Mapping[str, int]
) -> pl.DataFrame:
    """Return the rows of `model_fitted`; `snapshots` are those that wrote what was learned from, by table."""
    return frame_of(
        FITTED,
        [
            {
                "methode": result.name,
                "supported": result.fitted is not None,
                "statement": result.statement,
                "version": versions.get(result.name),
                "training_from": result.training_months[0] if result.training_months else None,
                "training_to": result.training_months[-1] if result.training_months else None,
                "training_rows": result.training["rows"],
                "training_failures": result.training["failures"],
                "seuil_fort": result.thresholds.fort if result.thresholds else None,
                "seuil_modere": result.thresholds.modere if result.thresholds else None,
                "features_snapshot": snapshots.get("feat_matrix"),
                "target_snapshot": snapshots.get(TARGET.name),
                "retained": result.name == selected.method,
                "choice": selected.reason if result.name == selected.method else None,
            }
            for result in learned
        ],
    )
