"""A deployment whose sensor and schedule are on: the script takes the place of the daemon, and of the time between two looks."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from sf_assets.catalogue.tables import LAYERS
from sf_assets.definitions import defs
from sf_assets.operations.automation import files_arrived
from sf_assets.operations.status import LayerStatus, layer_statuses
from sf_assets.settings import PREFIX, Settings
from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.partitions import PARIS, add_months, parse_month
from sf_assets_dev.deployment import Deployment, Run

_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Look:
    """What the sensor or the schedule did: the requested runs, and what it said."""

    requests: tuple[dg.RunRequest, ...]
    said: str


class OperatedDeployment(Deployment):
    """A deployment and what its operator has: the sensor and the schedule, the status, the folders of lists."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        super().__init__(Settings.model_validate({"data_dir": folder}), instance)
        self.folder = folder
        self._cursor: str | None = None

    def look(self) -> Look:
        """Evaluate the sensor once, as the daemon does every ten minutes."""
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self._cursor,
            definitions=defs,
            resources=self._resources("folders", "warehouse"),
        )
        result = files_arrived.evaluate_tick(context)
        self._cursor = result.cursor
        return Look(tuple(result.run_requests or ()), result.skip_message or "")

    def look_twice(self) -> Look:
        """Evaluate the sensor twice: a batch starts when it did not change in between."""
        self.look()
        return self.look()

    def tick(self, month: date) -> Look:
        """Evaluate the schedule that starts `month`, on the third of the month after."""
        after = add_months(month, 1)
        schedule = defs.resolve_schedule_def("monthly_schedule")
        context = dg.build_schedule_context(
            instance=self.instance,
            scheduled_execution_time=datetime(after.year, after.month, 3, 6, 30, tzinfo=PARIS),
            resources=self._resources("folders", "warehouse"),
            repository_def=defs.get_repository_def(),
        )
        result = schedule.evaluate_tick(context)
        return Look(tuple(result.run_requests or ()), result.skip_message or "")

    def start(self, look: Look) -> list[Run]:
        """Run what was requested, in order."""
        return [self.run("monthly", parse_month(str(one.partition_key)), tags=one.tags) for one in look.requests]

    def kill(self, job: str, month: date, *, after: str) -> bool:
        """Start `sf run` as a process and kill it once the table `after` has rows of the month; return whether it was killed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        environment |= {"SF_DATA_DIR": str(self.folder), "DAGSTER_HOME": self.instance.root_directory}
        command = [sys.executable, "-m", "sf_assets", "run", job, f"{month:%Y-%m}"]
        with subprocess.Popen(  # noqa: S603 - our own command
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while process.poll() is None:
                with self.warehouse.session() as session:
                    if month in session.months(after):
                        process.send_signal(signal.SIGKILL)
                        return True
                time.sleep(_POLL_SECONDS)
        return False

    def status(self, month: date) -> dict[str, LayerStatus]:
        """Return the status of each layer of a month."""
        with self.warehouse.session() as session:
            return {one.layer: one for one in layer_statuses(session, self.incoming, [month])}

    def is_green(self, month: date) -> bool:
        """Return whether every layer up to the list is done."""
        status = self.status(month)
        return all(status[layer].state == "done" for layer in [*LAYERS][: [*LAYERS].index("lists") + 1])

    def rows(self, table: str, month: date) -> tuple[int, int]:
        """Return the number of rows of a table for a month, and the sum of their hashes."""
        query = f"select count(*), coalesce(sum(hash(t)), 0) from lake.{table} as t where month = $month"
        rows, digest = self.warehouse.query(query, {"month": month}).row(0)
        return int(rows), int(digest)

    def lists(self, month: date) -> list[str]:
        """Return the folders of lists of a month, the versions that were handed over before included."""
        return sorted(path.name for path in (self.folder / "lists").glob(f"{batch_key(month)}*"))

    def _resources(self, *names: str) -> dict[str, Any]:
        return {name: self.resources[name] for name in names}
