"""A retry that Dagster announced and did not make is made after all."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._daemon.auto_run_reexecution import auto_run_reexecution
from dagster._daemon.auto_run_reexecution.event_log_consumer import EventLogConsumerDaemon

from sf_assets.operations.sensors import announce_again

RETRIES = {"run_retries": {"enabled": True, "max_retries": 2}}
ORIGIN = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("sf_assets"), "__repository__"), "toy")


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job
def toy() -> None:
    """Have one step."""
    nothing()


@dataclass
class Looks:
    """The sensor on one instance; `cursor` is that of its last evaluation."""

    instance: dg.DagsterInstance
    cursor: str | None = None

    def look(self) -> str:
        """Return what the sensor says at one evaluation."""
        result: Any = announce_again(dg.build_sensor_context(self.instance, cursor=self.cursor))
        self.cursor = result.cursor
        return str(result.skip_reason.skip_message)


def fail_as_read_too_early(
    instance: dg.DagsterInstance, read: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> str:
    """Fail a run whose failure the daemon reads before its status is stored; return the run."""
    run = instance.create_run_for_job(toy, status=dg.DagsterRunStatus.STARTED, remote_job_origin=ORIGIN)
    store = instance.run_storage.handle_run_event

    def read_first(*arguments: Any) -> None:
        read()
        store(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(instance.run_storage, "handle_run_event", read_first)
        instance.report_run_failed(run)
    return run.run_id


def test_a_retry_that_was_announced_and_not_made_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    retried: list[str] = []
    monkeypatch.setattr(auto_run_reexecution, "retry_run", lambda run, _: retried.append(run.run_id))
    with dg.instance_for_test(overrides=RETRIES) as instance:
        context: Any = SimpleNamespace(instance=instance)
        daemon = EventLogConsumerDaemon()

        def read() -> None:
            list(daemon.run_iteration(context))

        read()
        run_id = fail_as_read_too_early(instance, read, monkeypatch)
        read()
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert (run.is_complete_and_waiting_to_retry, retried) == (True, [])

        sensor = Looks(instance)
        assert [sensor.look() for _ in range(5)] == ["no retry is missing"] * 5
        assert sensor.look() == "1 failures announced again"
        read()
        assert retried == [run_id]
        assert [sensor.look() for _ in range(7)] == ["no retry is missing"] * 7


def test_neither_a_retried_run_nor_one_of_a_command_is_announced_again() -> None:
    with dg.instance_for_test(overrides=RETRIES) as instance:
        of_a_command = instance.create_run_for_job(toy, status=dg.DagsterRunStatus.STARTED)
        retried = instance.create_run_for_job(toy, status=dg.DagsterRunStatus.STARTED, remote_job_origin=ORIGIN)
        for run in (of_a_command, retried):
            instance.report_run_failed(run)
        instance.add_run_tags(retried.run_id, {"dagster/auto_retry_run_id": "another"})
        sensor = Looks(instance)
        assert [sensor.look() for _ in range(7)] == ["no retry is missing"] * 7
