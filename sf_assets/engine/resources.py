"""Resources of assets: the warehouse, the folders, the parameters, the gate.

They are plain objects, not Dagster's configurable resources: whoever launches a run cannot change a folder or a parameter.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dagster as dg

from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.storage import Warehouse
from sf_assets.vocabulary.modes import FULL, Mode
from sf_assets.vocabulary.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of a deployment, each with one sub-folder per month.

    They hold incoming files, fitted models, lists as last computed, exported tables, and lists as published: nothing writes
    to a published version again. `mode` says which incoming files are read.
    """

    incoming: Path
    models: Path
    lists: Path
    exports: Path
    published: Path
    mode: Mode = FULL

    @classmethod
    def below(cls, data: Path, mode: Mode = FULL) -> "Folders":
        """Return the folders inside the data folder of a deployment."""
        return cls(data / "incoming", data / "models", data / "lists", data / "exports", data / "published", mode)


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
