"""What an operator does on Dagster's pages, by the requests that these pages send."""

import http.client
import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_REPOSITORY = {"repositoryLocationName": "sf_assets.definitions", "repositoryName": "__repository__"}
_LAUNCH = """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }"""
_BACKFILL = """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename
  ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
_STATE = """query($id: String!) { partitionBackfillOrError(backfillId: $id) { __typename
  ... on PartitionBackfill { status } } }"""
_RUNS = """query($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results {
  runId status startTime endTime creationTime parentRunId jobName tags { key value } } } } }"""
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
_PAUSE_SECONDS = 5
_PATIENCE_SECONDS = 1200


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its months, how it ended, seconds of its process, and the run that it repeats."""

    run_id: str
    status: str
    job: str
    months: str
    seconds: float
    started: float
    ended: float
    repeats: str | None
    announced: bool


@dataclass(frozen=True, slots=True)
class Pages:
    """The web server whose address `find` returns: another one after its host has died."""

    find: Callable[[], str]

    def ask(self, query: str, **variables: Any) -> Any:
        """Return the answer to a query; wait for a server as long as there is none.

        Raises:
            RuntimeError: the server refused it; with what it answered.

        """
        body = json.dumps({"query": query, "variables": variables}).encode()
        for _ in _until(_PATIENCE_SECONDS, "web server"):
            with suppress(OSError, http.client.HTTPException):
                return self._answer(body)
        raise AssertionError

    def _answer(self, body: bytes) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.find()}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            found = json.load(answer)
        if found.get("errors") or not found.get("data"):
            raise RuntimeError(f"expected an answer, found {found}")
        (value,) = found["data"].values()
        return value

    def launch(self, job: str, month: str) -> str:
        """Launch a job for a month; return the identifier of its run."""
        tags = [{"key": "dagster/partition", "value": month}]
        made = self.ask(
            _LAUNCH,
            p={"selector": {**_REPOSITORY, "jobName": job}, "runConfigData": {}, "executionMetadata": {"tags": tags}},
        )
        if made["__typename"] != "LaunchRunSuccess":
            raise RuntimeError(f"expected a run of {job}, found {made}")
        return str(made["run"]["runId"])

    def launch_range(self, assets: Sequence[str], months: Sequence[str]) -> str:
        """Materialise assets for months, as their page does for a range; return the identifier of the backfill."""
        selection = [{"path": [name]} for name in assets]
        made = self.ask(
            _BACKFILL, p={"assetSelection": selection, "partitionNames": list(months), "fromFailure": False}
        )
        if made["__typename"] != "LaunchBackfillSuccess":
            raise RuntimeError(f"expected a backfill, found {made}")
        return str(made["backfillId"])

    def runs(self, **filters: Any) -> list[Run]:
        """Return runs, oldest first, by the filters of the page of runs."""
        found = self.ask(_RUNS, filter=filters)["results"]
        return sorted(map(_run, found), key=lambda run: run.started or time.time())

    def of_backfill(self, backfill: str) -> list[Run]:
        """Return the runs of a backfill, those that repeat failed ones included."""
        return self.runs(tags=[{"key": "dagster/backfill", "value": backfill}])

    def wait_for_run(self, run_id: str, seconds: float) -> list[Run]:
        """Wait for the end of a run and of those that repeat it; return them all."""
        for _ in _until(seconds, f"run {run_id}"):
            runs = self.runs(runIds=[run_id]) + self.runs(tags=[{"key": "dagster/root_run_id", "value": run_id}])
            if all(run.status in _ENDED for run in runs) and (runs[-1].status != "FAILURE" or not runs[-1].announced):
                return runs
        raise AssertionError

    def wait_for_range(self, backfill: str, seconds: float) -> list[Run]:
        """Wait for the end of a backfill and return its runs."""
        for _ in _until(seconds, f"backfill {backfill}"):
            state = self.ask(_STATE, id=backfill)["status"]
            if state not in {"REQUESTED", "CANCELING", "FAILING"}:
                return self.of_backfill(backfill)
        raise AssertionError


def _run(found: Any) -> Run:
    tags = {tag["key"]: tag["value"] for tag in found["tags"]}
    bounds = [tags[f"dagster/asset_partition_range_{end}"][:7] for end in ("start", "end")
              if f"dagster/asset_partition_range_{end}" in tags]  # fmt: skip
    started, ended = found["startTime"] or 0.0, found["endTime"] or 0.0
    return Run(
        found["runId"],
        found["status"],
        found["jobName"],
        " to ".join(bounds) or tags.get("dagster/partition", "")[:7],
        ended - started if started and ended else 0.0,
        started,
        ended,
        found["parentRunId"],
        tags.get("dagster/will_retry") == "true",
    )


def _until(seconds: float, what: str) -> Iterator[None]:
    """Yield every five seconds.

    Raises:
        TimeoutError: at the end of that time.

    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(_PAUSE_SECONDS)
    raise TimeoutError(f"{what}: expected its end within {seconds:.0f} s")
