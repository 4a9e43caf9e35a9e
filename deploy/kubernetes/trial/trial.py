"""A month and its history on a real Kubernetes, compared with one machine, then again while pods and a host are killed.

    export PYTHONPATH=.                    # from the checkout, as root, after binaries.sh, image.sh and cluster.sh with two hosts
    trial() { .venv/bin/python deploy/kubernetes/trial/trial.py FOLDER "$@"; }
    trial serve &                          # PostgreSQL and the object store, until it is ended
    trial one                              # the months with the embedded default, in the same image
    trial months quiet                     # the same months in the cluster, and their comparison
    trial months killed --kills            # once more, while a process, a pod and a host are killed during the history
    trial unplug                           # a host loses its cable while a process on it holds the lock

docs/kubernetes.md says what was seen.
"""

import argparse
import json
import os
import resource
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cluster import IMAGE, Cluster, Meter
from pages import Pages, Run

from sf_assets.definitions import defs
from sf_assets.engine.resources import Folders
from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.objects import ObjectStore
from sf_assets.operations.launching import first_known
from sf_assets.settings import Settings
from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.partitions import add_months, months
from sf_assets_dev.scale.trial import Site, compared, deliver, embedded
from sf_assets_dev.servers.postgres import create_database, postgres
from sf_assets_dev.servers.seaweedfs import create_bucket, seaweedfs
from sf_assets_dev.synthetic import write_batch

MONTH = date(2026, 10, 1)
LAN = "10.240.0.1"
BUCKET = "sf-assets"
_PATIENCE = 3600
_WORKED_SECONDS = 10


def say(text: str) -> None:
    """Print a line at once, with the time of day."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class OneMachine:
    """The embedded default, run in the image of the pods: `site` has its files."""

    folder: Path
    site: Site
    common: Mapping[str, str]

    def run(self, job: str, first: date, last: date | None = None) -> float:
        """Run a job; return its processor seconds."""
        buildah = ["buildah", "--root", f"{self.folder}/images/storage", "--runroot", f"{self.folder}/images/run"]
        made = subprocess.run([*buildah, "from", "--pull-never", IMAGE], check=True, capture_output=True, text=True)  # noqa: S603
        scratch = self.site.data.with_name("scratch")
        scratch.mkdir(exist_ok=True)
        for path in (self.site.data, *self.site.data.rglob("*"), scratch):
            os.chown(path, 10001, 10001)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            command = [*buildah, "run", "--isolation", "chroot", "--volume", f"{self.site.data}:/data"]
            command += ["--volume", f"{scratch}:/scratch", "--volume", f"{scratch}:/opt/dagster"]
            command += [word for name, value in self.common.items() for word in ("--env", f"{name}={value}")]
            command += [made.stdout.strip(), "sf", "run", job, f"{first:%Y-%m}"]
            command += ["--until", f"{last:%Y-%m}"] if last else []
            with self.site.data.with_name(f"one_{job}.log").open("w") as log:
                subprocess.run(command, check=True, stdout=log, stderr=log)  # noqa: S603
        finally:
            subprocess.run([*buildah, "rm", made.stdout.strip()], check=True, capture_output=True)  # noqa: S603
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def history_of(one: Site, years: int) -> list[str]:
    """Return the months before the batch of which it tells who was followed."""
    first = first_known(one.warehouse, MONTH, Settings.model_validate({"perimeter_months": 12 * years}).parameters)
    keys = months.get_partition_keys()
    return [key for key in keys if first.isoformat() <= key <= add_months(MONTH, -1).isoformat()]


def play_one_machine(one: OneMachine, companies: int, years: int) -> None:
    """Play batch, history and list with the embedded default."""
    rows = write_batch(
        one.site.data / "incoming" / batch_key(MONTH), month=MONTH, companies=companies, seed=1, years=years
    )
    say(f"{companies} companies, {years} years, {sum(rows.values()):,} lines")
    say(f"one machine, batch: {one.run('batch', MONTH):.0f} processor s")
    span = history_of(one.site, years)
    seconds = one.run("history", date.fromisoformat(span[0]), date.fromisoformat(span[-1]))
    say(f"one machine, history of {len(span)} months: {seconds:.0f} processor s")
    say(f"one machine, score: {one.run('score', MONTH):.0f} processor s")


def feature_assets() -> list[str]:
    """Return the assets of the job `history`."""
    return sorted(key.to_user_string() for key in defs.resolve_job_def("history").asset_layer.selected_asset_keys)


@dataclass(frozen=True, slots=True)
class Trial:
    """One deployment in the cluster, with a warehouse and files of its own."""

    cluster: Cluster
    one: OneMachine
    many: Site
    settings: Mapping[str, str]
    keys: Mapping[str, str]

    def play(self, span: Sequence[str], *, kills: bool) -> list[str]:
        """Play batch, history and list, compare them with those of one machine, and return what differs.

        With `kills`, a process, a pod and a host are killed during the history.
        """
        self.cluster.deploy(self.settings, self.keys, self.many.name)
        pages = Pages(lambda: self.cluster.address_of("dagster-webserver", 3000))
        with Meter() as meter:
            self._job(pages, meter, "batch")
            started = time.monotonic()
            backfill = pages.launch_range(feature_assets(), span)
            if kills:
                self._kill(pages, backfill)
            runs = pages.wait_for_range(backfill, _PATIENCE)
            self._report(meter, f"history of {len(span)} months", runs, started)
            self._job(pages, meter, "score")
        return self._compare()

    def _job(self, pages: Pages, meter: Meter, job: str) -> None:
        started = time.monotonic()
        self._report(meter, job, pages.wait_for_run(pages.launch(job, MONTH.isoformat()), _PATIENCE), started)

    def _compare(self) -> list[str]:
        lines = compared(self.one.site, self.many, MONTH)
        while True:
            try:
                say(next(lines))
            except StopIteration as end:
                return list(end.value)

    def _report(self, meter: Meter, what: str, runs: Sequence[Run], started: float) -> None:
        """Print one line for each run: where it was, how long, how much."""
        say(f"{what}: {len(runs)} runs, {time.monotonic() - started:.0f} s")
        for run in runs:
            pod = self.cluster.pod_of(run.run_id)
            uid, node = (pod["metadata"]["uid"], pod["spec"].get("nodeName", "?")) if pod else ("", "no pod")
            repeats = f", repeats {run.repeats[:8]}" if run.repeats else ""
            say(
                f"  run {run.run_id[:8]} {run.job} {run.months} on {node}: {run.status} {run.seconds:.0f} s, "
                f"{meter.seconds.get(uid, 0):.0f} processor s, {meter.memory.get(uid, 0):.0f} MB{repeats}"
            )

    def _kill(self, pages: Pages, backfill: str) -> None:
        """End a host with the runs on it, kill the process of another run, and delete the pod of a third."""
        touched: set[str] = set()
        for what in ("host", "process", "pod"):
            run, pod = self._running(pages, backfill, touched, "host2" if what == "host" else "host1")
            touched.add(run.run_id)
            say(f"{what} of run {run.run_id[:8]} is killed on {pod['spec']['nodeName']}")
            if what == "process":
                found = subprocess.run(  # noqa: S603
                    ["pgrep", "-f", f"dagster api execute_run.*{run.run_id}"],  # noqa: S607
                    check=True,
                    capture_output=True,
                    text=True,
                )
                os.kill(int(found.stdout.split()[-1]), signal.SIGKILL)
            elif what == "pod":
                self.cluster.kubectl("delete", "pod", "--force", "--grace-period=0", pod["metadata"]["name"])
            else:
                self.cluster.script("kill", "2")
                # The runs that are killed next would start again on it as long as nobody knows that it is dead.
                self.cluster.kubectl("wait", "node/host2", "--for=condition=Ready=Unknown", "--timeout=300s")

    def _running(self, pages: Pages, backfill: str, touched: set[str], node: str) -> tuple[Run, dict[str, Any]]:
        """Wait for a run that has worked for ten seconds, on a host if that is named; return it and its pod."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            for run in pages.of_backfill(backfill):
                if (
                    run.status == "STARTED"
                    and run.run_id not in touched
                    and not run.repeats  # Dagster repeats a run twice
                    and time.time() - run.started > _WORKED_SECONDS
                ):
                    pod = self.cluster.pod_of(run.run_id)
                    if pod and (not node or pod["spec"].get("nodeName") == node):
                        return run, pod
            time.sleep(1)
        raise TimeoutError("expected a run that has started, found none")


def serve(servers: Path) -> None:
    """Start PostgreSQL and the object store, write how they are opened, and wait for a signal."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # which ends the servers
    password = secrets.token_hex(16)
    with postgres(LAN, password) as server, seaweedfs(LAN) as store:
        create_database(server.dsn, "dagster")
        create_bucket(store, BUCKET)
        servers.touch(mode=0o600)
        servers.write_text(json.dumps({"dsn": server.dsn, "password": password, "store": store}))
        say("PostgreSQL and SeaweedFS are started")
        signal.pause()


def servers_of(cluster: Cluster) -> Any:
    """Return how the servers that `serve` started are opened."""
    return json.loads((cluster.folder / "state" / "servers.json").read_text())


def site_of(cluster: Cluster, name: str) -> tuple[Site, dict[str, str]]:
    """Return a trial's warehouse and files as this machine reaches them, and the settings with which pods do."""
    servers = servers_of(cluster)
    store, objects = servers["store"], ObjectStore.of_variables(servers["store"])
    tables, files = f"s3://{BUCKET}/{name}/tables", f"s3://{BUCKET}/{name}/files"
    warehouse = Warehouse(
        f"postgres:{servers['dsn'].replace('dbname=postgres', f'dbname={name}')}",
        tables,
        threads=1,
        objects=objects,
        memory_limit="1GB",
    )
    folder = cluster.folder / "state" / name
    settings = {
        "AWS_REGION": store["AWS_REGION"],
        "AWS_ENDPOINT_URL": store["AWS_ENDPOINT_URL"].replace(LAN, "s3.example.fr"),
        "SF_TABLES": tables,
        "SF_FILES": files,
    }
    return Site(name, folder, {}, warehouse, Folders.below(folder, shared=(objects, files))), settings


def trial_of(cluster: Cluster, one: OneMachine, name: str, run_months: int) -> Trial:
    """Return a trial with a new catalog and files of its own, to which the batch is delivered."""
    servers = servers_of(cluster)
    create_database(servers["dsn"], name)
    many, settings = site_of(cluster, name)
    deliver(one.site, many, MONTH)
    settings |= {**one.common, "SF_RUN_MONTHS": str(run_months)}
    keys = {"PGPASSWORD": servers["password"], "DAGSTER_PG_PASSWORD": servers["password"]}
    keys |= {key: servers["store"][key] for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    return Trial(cluster, one, many, settings, keys)


_HOLD = """
import time
from sf_assets.settings import Settings, warehouse_of
warehouse = warehouse_of(Settings.from_environment())
with warehouse.session() as session, warehouse._catalog.one_writer(session.connection, "a write of the trial"):
    print("held", flush=True)
    time.sleep(7200)
"""


def unplug(cluster: Cluster) -> None:
    """Take the cable of host2 out while a pod there holds the lock of a warehouse; print after how long another gets it."""
    create_database(servers_of(cluster)["dsn"], "unplug")
    site, settings = site_of(cluster, "unplug")
    with site.warehouse.session() as session, site.warehouse._catalog.one_writer(session.connection, "a first write"):
        say("a warehouse is made")
    cluster.hold("host2", _HOLD, settings, "unplug")
    cluster.script("cut", "2")
    started = time.monotonic()
    with site.warehouse.session() as session, site.warehouse._catalog.one_writer(session.connection, "another write"):
        say(f"host2 lost its cable: its lock is free after {time.monotonic() - started:.0f} s")
    cluster.script("plug", "2")
    cluster.kubectl("delete", "pod", "holder", "--force", "--grace-period=0")


def main() -> None:
    """Play what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", choices=["serve", "one", "months", "unplug"])
    parser.add_argument("name", nargs="?", default="quiet", help="name of a trial in the cluster")
    parser.add_argument("--kills", action="store_true", help="kill a process, a pod and a host during the history")
    parser.add_argument("--companies", type=int, default=400)
    parser.add_argument("--years", type=int, default=7)
    parser.add_argument("--run-months", type=int, default=12)
    arguments = parser.parse_args()
    cluster = Cluster(arguments.folder.resolve())
    common = {
        "SF_PERIMETER_MONTHS": str(12 * arguments.years),
        "SF_THREADS": "1",
        "SF_MEMORY_LIMIT": "1GB",
        "OMP_NUM_THREADS": "1",
    }
    place = cluster.folder / f"one_{arguments.companies}_{arguments.years}"
    one = OneMachine(cluster.folder, embedded(place, common), common)
    if arguments.what == "serve":
        serve(cluster.folder / "state" / "servers.json")
    elif arguments.what == "one":
        play_one_machine(one, arguments.companies, arguments.years)
    elif arguments.what == "unplug":
        unplug(cluster)
    else:
        trial = trial_of(cluster, one, arguments.name, arguments.run_months)
        wrong = trial.play(history_of(one.site, arguments.years), kills=arguments.kills)
        say(f"{arguments.name}: {'different: ' + ', '.join(wrong) if wrong else 'the same rows and bytes'}")


if __name__ == "__main__":
    main()
