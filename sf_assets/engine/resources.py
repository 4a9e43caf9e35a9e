"""What assets receive besides the warehouse: where files are, and the parameters a month is computed with."""

from datetime import datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from sf_assets.engine.storage import Warehouse
from sf_assets.settings import Settings
from sf_assets.vocabulary.delays import delays_with


class Folders(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The folders of incoming files, exported tables, fitted models and published lists."""

    incoming: str
    models: str
    lists: str
    exports: str = Field("data/exports", description="one folder a month: the clean tables as Parquet files")

    @property
    def incoming_path(self) -> Path:
        """The folder whose sub-folders are batches."""
        return Path(self.incoming)


class Parameters(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What a month's result depends on besides its files and the code; the same values give the same tables."""

    cutoff_shift_days: int = 0
    perimeter_months: int = 120
    perimeter_staff: int = 10
    perimeter_recent: bool = False
    training_failures: int = 50
    delays: dict[str, int] = Field(default_factory=dict)
    corrections: list[str] = Field(default_factory=list)
    alert_shares: list[float] = Field(default_factory=list)
    alert_precisions: list[float] = Field(default_factory=list)

    def of_queries(self) -> dict[str, object]:
        """Return the values that queries bind by name."""
        return {
            "shift": self.cutoff_shift_days,
            "perimeter_months": self.perimeter_months,
            "minimum": self.perimeter_staff,
            "recent": self.perimeter_recent,
        }

    @property
    def all_delays(self) -> dict[str, int]:
        """The publication delays in force."""
        return delays_with(self.delays)


def clock_of(instance: dg.DagsterInstance, run_id: str) -> datetime:
    """Return when a run was created: the one clock of what it does."""
    run = instance.get_run_record_by_id(run_id)
    if run is None:
        raise LookupError(f"run {run_id} is not recorded in the instance")
    created: datetime = run.create_timestamp
    return created


def resources_for(settings: Settings) -> dict[str, object]:
    """Return the resources of a deployment by the names assets ask for."""
    data = settings.data_dir.absolute()
    return {
        "warehouse": Warehouse(
            catalog=settings.catalog_path,
            data_path=str(data / "warehouse" / "tables"),
            memory_limit=settings.memory_limit,
            temp_directory=settings.temp_directory,
            threads=settings.threads,
        ),
        "folders": Folders(
            incoming=str(data / "incoming"),
            models=str(data / "models"),
            lists=str(data / "lists"),
            exports=str(data / "exports"),
        ),
        "parameters": Parameters(
            cutoff_shift_days=settings.cutoff_shift_days,
            perimeter_months=settings.perimeter_months,
            perimeter_staff=settings.perimeter_staff,
            perimeter_recent=settings.perimeter_recent,
            training_failures=settings.training_failures,
            delays=settings.delays,
            corrections=list(settings.corrections),
            alert_shares=list(settings.alert_shares),
            alert_precisions=list(settings.alert_precisions),
        ),
    }
