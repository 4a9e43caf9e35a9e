"""Sensors that follow the end of a run: a notice of a failure, a missing retry, and a refresh of the status of every month."""

import json
from collections.abc import Iterator, Sequence

import dagster as dg
from dagster import DagsterEventType
from dagster_shared.error import SerializableErrorInfo

from sf_assets.engine.errors import EngineError
from sf_assets.operations.automation import JOBS
from sf_assets.operations.jobs import status_job
from sf_assets.operations.notices import Attempt, Notice, Outbox, deliver, enqueue
from sf_assets.operations.reruns import once_corrected

_WILL_RETRY = "dagster/will_retry"
# A tag of the runs whose failure was reported twice, and at how many looks the daemon may still retry by itself.
_ANNOUNCED = "sf_assets/announced_again"
_LOOKS = 5
_LATEST = 100  # failed runs that are looked at
_PARTITION = "dagster/partition"
_SENSOR = "dagster/sensor_name"
_REFRESH = "refresh_status_after_"

OutboxResource = dg.ResourceParam[Outbox]


def notice_of(context: dg.RunStatusSensorContext, ui: str) -> Notice | None:
    """Return the notice of a run that ended, with its failed steps and failed checks; None when there are none.

    `ui` is the address of Dagster's pages. A failed note is reported too, since it stops no run; a check that an operator
    accepted is not.
    """
    run = context.dagster_run
    steps = context.instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_FAILURE)
    checks = context.instance.all_logs(run.run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION)
    troubles = [*_failed_steps([entry.dagster_event for entry in steps]),
                *_failed_checks([entry.dagster_event for entry in checks])]  # fmt: skip
    failed = run.status == dg.DagsterRunStatus.FAILURE
    if not troubles and not failed:
        return None
    name = " ".join([run.job_name, *([run.tags[_PARTITION]] if _PARTITION in run.tags else [])])
    return Notice(
        f"sf_assets: {name} {'failed' if failed else 'ended with failed checks'}",
        tuple(troubles or [str(context.dagster_event.message)]),
        f"{ui.rstrip('/')}/runs/{run.run_id}" if ui else "",
    )


def _failed_steps(events: Sequence[dg.DagsterEvent | None]) -> Iterator[str]:
    for event in events:
        if event is None or event.step_key is None:
            continue
        data = event.step_failure_data
        description = data.user_failure_data.description if data.user_failure_data else None
        yield f"{event.step_key}: {description or _class_of(data.error) or event.message}"


def _class_of(error: SerializableErrorInfo | None) -> str | None:
    """Return the class of the error that ended a step, and its text for an `EngineError`: other texts may quote values.

    The page of the run has the stack of calls.
    """
    while error and error.cause:
        error = error.cause
    if error is None:
        return None
    text = error.message.strip().partition(": ")[2] if error.cls_name == EngineError.__name__ else ""
    return f"{error.cls_name}: {text}" if text else f"{error.cls_name}, see the page of the run"


def _failed_checks(events: Sequence[dg.DagsterEvent | None]) -> Iterator[str]:
    for event in events:
        evaluation = event.asset_check_evaluation_data if event else None
        if evaluation is None or evaluation.passed or "accepted" in evaluation.metadata:
            continue
        advice = evaluation.metadata.get("advice")
        asset, blocks = evaluation.asset_key.to_user_string(), evaluation.severity is dg.AssetCheckSeverity.ERROR
        parts = (
            f"{asset}, {evaluation.check_name} ({evaluation.severity.value.lower()}):",
            evaluation.description or "refused.",
            str(advice.value) if advice else "",
            once_corrected(asset, evaluation.partition) if blocks else "",
        )
        yield " ".join(filter(None, parts))


def _send_notice(context: dg.RunStatusSensorContext, notices: Outbox) -> dg.SkipReason:
    if context.dagster_run.tags.get(_WILL_RETRY) == "true":
        return dg.SkipReason(f"run {context.dagster_run.run_id} is started again")
    if context.dagster_run.tags.get(_SENSOR, "").startswith(_REFRESH):
        return dg.SkipReason("the morning refresh of the status reports its checks")
    notice = notice_of(context, notices.ui)
    if notice is None:
        return dg.SkipReason(f"run {context.dagster_run.run_id} succeeded without a failed check")
    context.log.warning(f"{notice.subject}\n{notice.text}")
    run_id = context.dagster_run.run_id
    with notices.shelf.whole() as folder:
        enqueue(folder, run_id, notice, notices.channels)
    with notices.shelf.whole() as folder:
        attempt = deliver(folder, notices.channels).get(run_id, Attempt((), {}))
    return dg.SkipReason(
        "; ".join([f"{notice.subject}; sent to {', '.join(('log', *attempt.sent))}", *_waiting(attempt)])
    )


def _waiting(attempt: Attempt) -> list[str]:
    return [f"{channel}: {reason}, sent again at the next tick" for channel, reason in attempt.failed.items()]


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends again the notices that a server did not accept, until each channel accepted each of them once.",
)
def send_again(context: dg.SensorEvaluationContext, notices: OutboxResource) -> dg.SkipReason:
    """Send the notices that wait in the outbox."""
    with notices.shelf.whole() as folder:
        attempts = deliver(folder, notices.channels)
    for run_id, attempt in attempts.items():
        context.log.info(
            "; ".join([f"run {run_id}: sent to {', '.join(attempt.sent) or 'nobody'}", *_waiting(attempt)])
        )
    waiting = sum(bool(attempt.failed) for attempt in attempts.values())
    return dg.SkipReason(f"{len(attempts) - waiting} notices sent, {waiting} wait" if attempts else "no notice waits")


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.FAILURE,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends a notice of a failed run: its failed steps and checks, and what to do.",
)
def tell_failures(context: dg.RunStatusSensorContext, notices: OutboxResource) -> dg.SkipReason:
    """Report a failed run in the log and by the configured channels."""
    return _send_notice(context, notices)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends a notice of the failed checks of a run that succeeded: notes, and checks that stopped no step of the run.",
)
def tell_failed_checks(context: dg.RunStatusSensorContext, notices: OutboxResource) -> dg.SkipReason:
    """Report the failed checks of a successful run."""
    return _send_notice(context, notices)


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Has Dagster make the retries that it announced and did not make: it may read the failure of a run before its "
    "status is stored, and then forgets it.",
)
def announce_again(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Report the failure of such runs once more, so that the daemon reads it again and retries from the failed steps.

    A run is forgotten when it still waits at the sixth look, five minutes after the first. Dagster makes one retry of a
    failure, however often it reads it. A run executed in the process of a command is not retried.
    """
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], tags={_WILL_RETRY: "true"})
    waiting = {
        run.run_id: run
        for run in context.instance.get_runs(failed, limit=_LATEST)
        if run.is_complete_and_waiting_to_retry and run.remote_job_origin and _ANNOUNCED not in run.tags
    }
    before: dict[str, int] = json.loads(context.cursor or "{}")
    looks = {run_id: before.get(run_id, 0) + 1 for run_id in waiting}
    forgotten = [run for run_id, run in waiting.items() if looks[run_id] > _LOOKS]
    for run in forgotten:
        context.instance.add_run_tags(run.run_id, {_ANNOUNCED: "true"})
        context.instance.report_run_failed(run, "Announced again: the retry of this failure was not made.")
        context.log.warning(f"run {run.run_id}: its retry was announced and not made; announced again")
    reason = f"{len(forgotten)} failures announced again" if forgotten else "no retry is missing"
    return dg.SensorResult(skip_reason=reason, cursor=json.dumps(looks))


def _refresh_after(ended: dg.DagsterRunStatus) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name=f"{_REFRESH}{ended.value.lower()}",
        run_status=ended,
        monitored_jobs=list(JOBS),
        request_job=status_job,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Refreshes the status of every month after a run of a month.",
    )
    def refresh(context: dg.RunStatusSensorContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=context.dagster_run.run_id)

    return refresh


SENSORS = (
    tell_failures,
    tell_failed_checks,
    send_again,
    announce_again,
    _refresh_after(dg.DagsterRunStatus.SUCCESS),
    _refresh_after(dg.DagsterRunStatus.FAILURE),
)
