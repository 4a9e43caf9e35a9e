"""Resources of assets: the warehouse, the folders, the parameters, the gate.

They are plain objects, not Dagster's configurable resources: whoever launches a run cannot change a folder or a parameter.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dagster as dg

from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.objects import ObjectStore
from sf_assets.engine.storage.shared_files import SharedFiles
from sf_assets.engine.storage.shared_folders import SharedFolders
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.vocabulary.modes import FULL, Mode
from sf_assets.vocabulary.parameters import Parameters

# In the data folder: copies of what is in an object store, which may be deleted at any time when nothing runs.
COPIES = "copies"
_WRITTEN = ("models", "lists", "exports", "published")
_OF_OPERATORS = ("evaluation", "explanations", "quarantine")


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of a deployment below `data`, each with one sub-folder per month.

    They hold incoming files, fitted models, lists as last computed, exported tables, and lists as published: nothing writes
    to a published version again. Operators' verbs write reports of evaluation, explanations of companies, and quarantined
    records to be corrected. `mode` says which incoming files are read.
    """

    data: Path
    incoming: Shelf
    models: Shelf
    lists: Shelf
    exports: Shelf
    published: Shelf
    evaluation: Shelf
    explanations: Shelf
    quarantine: Shelf
    mode: Mode = FULL

    @classmethod
    def below(cls, data: Path, mode: Mode = FULL, shared: tuple[ObjectStore, str] | None = None) -> "Folders":
        """Return the folders inside the data folder of a deployment.

        With an object store and an address `shared`, they are there, and this machine has a copy of those it uses.
        """
        shelves = {name: shelf_of(data, name, shared) for name in ("incoming", *_WRITTEN, *_OF_OPERATORS)}
        return cls(data=data, mode=mode, **shelves)

    @property
    def written(self) -> tuple[Shelf, ...]:
        """The folders that runs write."""
        return self.models, self.lists, self.exports, self.published

    @property
    def by_name(self) -> dict[str, Shelf]:
        """Every folder by its name."""
        return {name: getattr(self, name) for name in ("incoming", *_WRITTEN, *_OF_OPERATORS)}


def shelf_of(data: Path, name: str, shared: tuple[ObjectStore, str] | None) -> Shelf:
    """Return a folder of a deployment: below its data folder, or below an address of an object store."""
    if shared is None:
        return Shelf(data / name)
    objects, address = shared
    kind = SharedFolders if name in _WRITTEN else SharedFiles
    return Shelf(data / COPIES / name, kind(objects, f"{address.rstrip('/')}/{name}"))


# Annotations for the functions that Dagster calls; other functions take the plain types.
WarehouseResource = dg.ResourceParam[Warehouse]
FoldersResource = dg.ResourceParam[Folders]
ParametersResource = dg.ResourceParam[Parameters]
GateResource = dg.ResourceParam[Gate]


def run_created_at(instance: dg.DagsterInstance, run_id: str) -> datetime:
    """Return when a run was created: the only time that the run records.

    Raises:
        LookupError: the instance does not know the run.

    """
    run = instance.get_run_record_by_id(run_id)
    if run is None:
        raise LookupError(f"run {run_id} is not recorded in the instance")
    created: datetime = run.create_timestamp
    return created
