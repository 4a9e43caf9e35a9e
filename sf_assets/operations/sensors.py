"""What follows the end of a run: a notice when something went wrong, and a fresh look at every month."""

from collections.abc import Iterator, Sequence

import dagster as dg
from dagster import DagsterEventType
from dagster_shared.error import SerializableErrorInfo

from sf_assets.engine.errors import EngineError
from sf_assets.operations.automation import JOBS
from sf_assets.operations.jobs import status_job
from sf_assets.operations.notices import Notice, Outbox, Tried, deliver, keep

_WILL_RETRY = "dagster/will_retry"
_PARTITION = "dagster/partition"
_SENSOR = "dagster/sensor_name"
_LOOK = "look_after_"

OutboxResource = dg.ResourceParam[Outbox]


def notice_of(context: dg.RunStatusSensorContext, ui: str) -> Notice | None:
    """Return what there is to say of a run that ended: steps that failed, checks that refuse; None when all is well.

    A check that refuses stops nothing outside of its run, and a note none at all: both are told once per run. What an
    operator accepted is not told again.
    """
    run = context.dagster_run
    steps = context.instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_FAILURE)
    checks = context.instance.all_logs(run.run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION)
    troubles = [*_failed_steps([entry.dagster_event for entry in steps]),
                *_refusals([entry.dagster_event for entry in checks])]  # fmt: skip
    failed = run.status == dg.DagsterRunStatus.FAILURE
    if not troubles and not failed:
        return None
    what = " ".join([run.job_name, *([run.tags[_PARTITION]] if _PARTITION in run.tags else [])])
    return Notice(
        f"sf_assets: {what} {'failed' if failed else 'ended with checks that refuse'}",
        tuple(troubles or [str(context.dagster_event.message)]),
        f"{ui.rstrip('/')}/runs/{run.run_id}" if ui else "",
    )


def _failed_steps(events: Sequence[dg.DagsterEvent | None]) -> Iterator[str]:
    for event in events:
        if event is None or event.step_key is None:
            continue
        data = event.step_failure_data
        told = data.user_failure_data.description if data.user_failure_data else None
        yield f"{event.step_key}: {told or _class_of(data.error) or event.message}"


def _class_of(error: SerializableErrorInfo | None) -> str | None:
    """Return the class of the error that a step ended with; its text may quote values, unless it is ours.

    The stack of calls stays on the page of the run.
    """
    while error and error.cause:
        error = error.cause
    if error is None:
        return None
    said = error.message.strip().partition(": ")[2] if error.cls_name == EngineError.__name__ else ""
    return f"{error.cls_name}: {said}" if said else f"{error.cls_name}, see the page of the run"


def _refusals(events: Sequence[dg.DagsterEvent | None]) -> Iterator[str]:
    for event in events:
        evaluation = event.asset_check_evaluation_data if event else None
        if evaluation is None or evaluation.passed or "accepted" in evaluation.metadata:
            continue
        advice = evaluation.metadata.get("advice")
        yield " ".join(
            [
                f"{evaluation.asset_key.to_user_string()}, {evaluation.check_name} ({evaluation.severity.value.lower()}):",
                evaluation.description or "refused.",
                *([str(advice.value)] if advice else []),
            ]
        )


def _tell(context: dg.RunStatusSensorContext, notices: Outbox) -> dg.SkipReason:
    if context.dagster_run.tags.get(_WILL_RETRY) == "true":
        return dg.SkipReason(f"run {context.dagster_run.run_id} is started again")
    if context.dagster_run.tags.get(_SENSOR, "").startswith(_LOOK):
        return dg.SkipReason("what a look after a run sees is told every morning")
    notice = notice_of(context, notices.ui)
    if notice is None:
        return dg.SkipReason(f"run {context.dagster_run.run_id} ended well")
    context.log.warning(f"{notice.subject}\n{notice.text}")
    run_id = context.dagster_run.run_id
    keep(notices.folder, run_id, notice, notices.channels)
    tried = deliver(notices.folder, notices.channels).get(run_id, Tried((), {}))
    return dg.SkipReason("; ".join([f"{notice.subject}; told by {', '.join(('log', *tried.sent))}", *_waiting(tried)]))


def _waiting(tried: Tried) -> list[str]:
    return [f"{channel}: {why}, tried again at the next look" for channel, why in tried.kept.items()]


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends again the notices that a server did not take, until each channel took each of them once.",
)
def send_again(context: dg.SensorEvaluationContext, notices: OutboxResource) -> dg.SkipReason:
    """Try the notices that wait in the outbox."""
    tried = deliver(notices.folder, notices.channels)
    for run_id, one in tried.items():
        context.log.info("; ".join([f"run {run_id}: told by {', '.join(one.sent) or 'nobody'}", *_waiting(one)]))
    waiting = sum(bool(one.kept) for one in tried.values())
    return dg.SkipReason(f"{len(tried) - waiting} notices sent, {waiting} wait" if tried else "no notice waits")


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.FAILURE,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells of a run that failed: its steps, the checks that refuse, what to do.",
)
def tell_failures(context: dg.RunStatusSensorContext, notices: OutboxResource) -> dg.SkipReason:
    """Tell of a failed run, by the log and the configured channels."""
    return _tell(context, notices)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells of the checks that refuse in a run that succeeded: notes, and what blocks nothing in its run.",
)
def tell_failed_checks(context: dg.RunStatusSensorContext, notices: OutboxResource) -> dg.SkipReason:
    """Tell of the checks that refuse in a successful run."""
    return _tell(context, notices)


def _look_after(ended: dg.DagsterRunStatus) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name=f"{_LOOK}{ended.value.lower()}",
        run_status=ended,
        monitored_jobs=list(JOBS),
        request_job=status_job,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Looks at every month again once a run of one of them has ended.",
    )
    def look(context: dg.RunStatusSensorContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=context.dagster_run.run_id)

    return look


SENSORS = (
    tell_failures,
    tell_failed_checks,
    send_again,
    _look_after(dg.DagsterRunStatus.SUCCESS),
    _look_after(dg.DagsterRunStatus.FAILURE),
)
