"""Deployments whose runs execute in this process: trials of faults, the scripted life and tests use them."""

import logging
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import dagster as dg

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.storage import Warehouse
from sf_assets.operations.launching import QUIET
from sf_assets.settings import Settings, resources_for
from sf_assets.sources.batch import batch_key

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Run:
    """Result of one run: whether it succeeded, what it wrote, which checks failed, and what an operator reads of it."""

    def __init__(self, result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance) -> None:
        self.success = result.success
        self._result = result
        self._instance = instance

    @cached_property
    def written(self) -> frozenset[str]:
        """The names of the materialised assets."""
        return frozenset(self.metadata)

    @cached_property
    def metadata(self) -> dict[str, dict[str, Any]]:
        """The values of metadata of each materialised asset."""
        return {
            event.asset_key.to_user_string(): {
                name: value.value for name, value in event.materialization.metadata.items()
            }
            for event in self._result.get_asset_materialization_events()
            if event.asset_key
        }

    @cached_property
    def refused(self) -> dict[str, list[dg.AssetCheckEvaluation]]:
        """The failed checks of each asset, warnings included."""
        failed: dict[str, list[dg.AssetCheckEvaluation]] = {}
        for evaluation in self._result.get_asset_check_evaluations():
            if not evaluation.passed:
                failed.setdefault(evaluation.asset_key.to_user_string(), []).append(evaluation)
        return failed

    def blocking(self, asset: str) -> set[str]:
        """Return the names of the failed checks of an asset that stop what follows it."""
        return {one.check_name for one in self.refused.get(asset, ()) if one.severity is dg.AssetCheckSeverity.ERROR}

    @cached_property
    def failures(self) -> dict[str, str]:
        """What an operator reads of each failed step: the description of a failure, otherwise the error with its stack."""
        return {
            str(event.step_key): _description(event.step_failure_data)
            for event in self._result.get_step_failure_events()
        }

    @property
    def warnings(self) -> list[str]:
        """The warnings that steps logged."""
        return self._messages(logging.WARNING)

    @property
    def errors(self) -> list[str]:
        """The errors that steps logged."""
        return self._messages(logging.ERROR)

    def _messages(self, level: int) -> list[str]:
        # Dagster logs in the name of a step that never starts why it leaves it out: no step logs that.
        started = {event.step_key for event in self._result.all_events if event.is_step_start}
        entries = self._instance.all_logs(self._result.run_id)
        return [
            entry.user_message
            for entry in entries
            if entry.dagster_event is None and entry.step_key in started and entry.level == level
        ]


def _description(data: Any) -> str:
    failure = data.user_failure_data
    return str(failure.description if failure else data.error_display_string)


class Deployment:
    """One deployment below the folder of `settings`, as `SF_DATA_DIR` makes it.

    `instance` stores its runs; without one they are forgotten at the end. `made` are other definitions than those of the
    environment, such as those of open data.
    """

    def __init__(
        self, settings: Settings, instance: dg.DagsterInstance | None = None, made: dg.Definitions | None = None
    ) -> None:
        from sf_assets.definitions import defs  # noqa: PLC0415 - loads every layer, which listing faults does not need

        made = made or defs
        self.settings = settings
        self.instance = instance or dg.DagsterInstance.ephemeral()
        self.resources = resources_for(settings)
        self.warehouse: Warehouse = self.resources["warehouse"]  # type: ignore[assignment]
        self.definitions = dg.Definitions(
            assets=made.assets,
            asset_checks=made.asset_checks,
            jobs=made.jobs,
            resources=self.resources,
            executor=dg.in_process_executor,
        )

    def changed(self, **settings: Any) -> "Deployment":
        """Return the same deployment with other settings."""
        return Deployment(Settings(**self.settings.model_dump(exclude_unset=True) | settings), self.instance)

    @property
    def incoming(self) -> Path:
        """The folder of the batches."""
        return self.settings.incoming

    def batch(self, month: date) -> Path:
        """Return the folder of a month's files."""
        return self.incoming / batch_key(month)

    def run(
        self,
        job: str,
        month: date | None = None,
        config: Mapping[str, Any] = _NOTHING,
        tags: Mapping[str, str] = _NOTHING,
    ) -> Run:
        """Run a job, for one month if it has months; `config` holds the configuration of its steps by name."""
        steps = {name: {"config": values} for name, values in config.items()}
        return self._execute(self.definitions.resolve_job_def(job), month, run_config={"ops": steps}, tags=dict(tags))

    def run_range(self, job: str, first: date, last: date) -> Run:
        """Run a job for a range of months, in one run."""
        bounds = {"start": first.isoformat(), "end": last.isoformat()}
        return self.run(job, tags={f"dagster/asset_partition_range_{end}": key for end, key in bounds.items()})

    def build(self, month: date | None, *assets: str, tags: Mapping[str, str] = _NOTHING) -> Run:
        """Materialise some assets of one month, with their checks, as from their page; `tags` may name a range of months."""
        whole = self.definitions.resolve_implicit_global_asset_job_def()
        selected = [dg.AssetKey(name) for name in assets]
        return self._execute(whole, month, asset_selection=selected, tags=dict(tags))

    def run_checks(self, month: date, asset: str) -> Run:
        """Run the checks of an asset, without the asset."""
        checks = frozenset(dg.AssetCheckKey(dg.AssetKey(asset), check.name) for check in SUITES[asset].checks)
        whole = self.definitions.resolve_implicit_global_asset_job_def()
        return self._execute(whole.get_subset(asset_selection=frozenset(), asset_check_selection=checks), month)

    def names_of(self, selection: dg.AssetSelection) -> set[str]:
        """Return the names of the assets of a selection."""
        return {key.to_user_string() for key in selection.resolve(self.definitions.resolve_asset_graph())}

    def _execute(
        self, job: dg.JobDefinition, month: date | None, run_config: Mapping[str, Any] = _NOTHING, **options: Any
    ) -> Run:
        result = job.execute_in_process(
            instance=self.instance,
            run_config={**QUIET, **run_config},
            raise_on_error=False,
            partition_key=month.isoformat() if month else None,
            **options,
        )
        return Run(result, self.instance)
