"""What a run tells of its steps, and from when history can be computed: shared by the demonstration and the benchmark."""

from datetime import date
from typing import Any

from dagster import DagsterEvent

from sf_assets.engine.storage import Warehouse
from sf_assets.vocabulary.delays import DELAYS
from sf_assets.vocabulary.partitions import add_months


def rows_told(event: DagsterEvent, before: int) -> int:
    """Return the rows a step made, by this materialisation and by its former ones, which made `before`."""
    metadata = event.step_materialization_data.materialization.metadata
    told: dict[str, Any] = {name: value.value for name, value in metadata.items()}
    if "rows" in told:  # A range of months: every one of its partitions carries the sum.
        return int(told["rows"])
    return before + int(told.get("dagster/partition_row_count", told.get("lines", 0)))


def first_known(warehouse: Warehouse, month: date, perimeter_months: int) -> date:
    """Return the first month that has features: a head-count was known, within the perimeter's window."""
    known = warehouse.query("select min(periode) from lake.clean_effectif_ent where month = $month", {"month": month})
    return max(add_months(known.item(), DELAYS["effectif_months"]), add_months(month, 1 - perimeter_months))
