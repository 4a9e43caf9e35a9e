"""The files of `deploy/`: what a machine without a cluster can tell of them, and a backup that is really restored."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import DagsterInstance
from dagster._core.instance.config import dagster_instance_config

from sf_assets.engine.storage import Warehouse
from sf_assets.operations.launching import CODE_LOCATION
from sf_assets.settings import Settings
from sf_assets_dev.chaos.writing import MONTHS, write
from sf_assets_dev.servers.postgres import create_database

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
VALUES: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())
CLUSTER: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes" / "dagster.yaml").read_text())
SERVERS: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "kubernetes" / "servers.yaml").read_text())["items"]
RESOURCES: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "resources.yaml").read_text()))
# Keys of the chart's values at its version 1.13, by the place where they are; every other one would be ignored without a word.
KNOWN = {
    "": {
        *(
            "telemetry",
            "postgresql",
            "generatePostgresqlPasswordSecret",
            "global",
            "dagster-user-deployments",
        ),
        *("dagsterWebserver", "runLauncher", "computeLogManager", "dagsterDaemon", "concurrency", "retention"),
    },
    "runLauncher.config.k8sRunLauncher": {
        *(
            "image",
            "imagePullPolicy",
            "jobNamespace",
            "loadInclusterConfig",
            "kubeconfigFile",
            "envConfigMaps",
            "envSecrets",
        ),
        *("envVars", "volumeMounts", "volumes", "labels", "failPodOnRunFailure", "securityContext", "runK8sConfig"),
    },
    "runLauncher.config.k8sRunLauncher.runK8sConfig": {
        *("containerConfig", "podTemplateSpecMetadata", "podSpecConfig", "jobSpecConfig", "jobMetadata"),
    },
    "concurrency": {"enabled", "pools", "runs"},
    "concurrency.pools": {"granularity", "defaultLimit", "opGranularityRunBuffer"},
    "concurrency.runs": {"maxConcurrentRuns", "tagConcurrencyLimits"},
    "dagsterDaemon.runMonitoring": {
        *("enabled", "pollIntervalSeconds", "startTimeoutSeconds", "cancelTimeoutSeconds", "maxRuntimeSeconds"),
        *("maxResumeRunAttempts", "freeSlotsAfterRunEndSeconds"),
    },
    "dagsterDaemon.runRetries": {"enabled", "maxRetries", "retryOnAssetOrOpFailure"},
}


def snake(values: object) -> object:
    """Return values of the chart with the names of keys that `dagster.yaml` has."""
    if isinstance(values, Mapping):
        return {re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower(): snake(value) for key, value in values.items()}
    return [snake(value) for value in values] if isinstance(values, list) else values


def at(place: str) -> dict[str, Any]:
    found = VALUES
    for key in filter(None, place.split(".")):
        found = found[key]
    return found


def code_server() -> dict[str, Any]:
    (server,) = at("dagster-user-deployments")["deployments"]
    return dict(server)


@pytest.mark.parametrize("path", ["sf_assets/dagster.yaml", "deploy/dagster.yaml", "deploy/kubernetes/dagster.yaml"])
def test_dagster_accepts_each_instance_file_which_retries_crashed_runs_and_frees_their_slots(path: str) -> None:
    config, _ = dagster_instance_config(str((ROOT / path).parent))
    assert config["run_retries"] == {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}
    assert (config["run_monitoring"]["enabled"], config["telemetry"]["enabled"]) == (True, False)
    assert config["run_monitoring"]["free_slots_after_run_end_seconds"] == 60
    assert config["concurrency"]["pools"]["granularity"] == "run"


def test_the_instance_of_one_server_starts_with_one_month_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_bytes((DEPLOY / "dagster.yaml").read_bytes())
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1
        assert "max_runtime_seconds: 43200" in instance.info_str()


@pytest.mark.parametrize("place", KNOWN)
def test_the_chart_knows_every_value(place: str) -> None:
    assert at(place).keys() - KNOWN[place] == set()


def test_the_chart_and_the_instance_file_of_the_cluster_say_the_same() -> None:
    launcher, config = at("runLauncher.config.k8sRunLauncher"), CLUSTER["run_launcher"]["config"]
    pods: Any = snake(launcher["runK8sConfig"])
    assert pods == config["run_k8s_config"]
    # What the chart adds to runs from the code server would win: its memory, its volumes, its token.
    assert code_server()["includeConfigInLaunchedRuns"] == {"enabled": False}
    assert [one["name"] for one in launcher["envConfigMaps"]] == config["env_config_maps"]
    assert [one["name"] for one in launcher["envSecrets"]] == config["env_secrets"]
    limits = CLUSTER["concurrency"]
    assert at("concurrency")["pools"] == {"granularity": "run", "defaultLimit": limits["pools"]["default_limit"]}
    assert at("concurrency")["runs"]["maxConcurrentRuns"] == limits["runs"]["max_concurrent_runs"]
    assert at("concurrency")["runs"]["tagConcurrencyLimits"] == limits["runs"]["tag_concurrency_limits"]
    for name in ("run_monitoring", "run_retries"):
        assert snake(VALUES["dagsterDaemon"])[name] == CLUSTER[name]  # type: ignore[index]
    assert snake(VALUES["retention"]) == {"enabled": True, **CLUSTER["retention"]}
    images = [pod["image"] for pod in (code_server(), VALUES["dagsterWebserver"], VALUES["dagsterDaemon"])]
    assert {f"{image['repository']}:{image['tag']}" for image in images} == {config["job_image"]}


def test_no_service_makes_a_variable_that_the_settings_do_not_know() -> None:
    # Kubernetes adds these variables to each pod, one without `enableServiceLinks: false`, that starts after the service.
    for name in (code_server()["name"], "dagster-dagster-webserver", "dagster-dagster-webserver-read-only"):
        prefix = name.upper().replace("-", "_")
        Settings.from_environment({f"{prefix}_SERVICE_HOST": "10.0.0.1", f"{prefix}_PORT": "tcp://10.0.0.1:3030"})


def test_the_pages_and_the_daemon_of_the_chart_name_the_code_as_runs_of_the_command_line_do() -> None:
    web, code = VALUES["dagsterWebserver"], code_server()
    (server,) = web["workspace"]["servers"]
    assert web["workspace"]["enabled"]
    assert (server["host"], server["port"]) == (code["name"], code["port"])
    assert server["name"] == CODE_LOCATION.code_location_origin.location_name == code["dagsterApiGrpcArgs"][-1]


def test_the_pages_of_the_chart_listen_where_a_user_without_rights_may() -> None:
    web = VALUES["dagsterWebserver"]
    assert web["service"]["port"] == web["readinessProbe"]["httpGet"]["port"] >= 1024


def test_every_pod_runs_without_root_on_a_root_it_cannot_write() -> None:
    pods = [
        code_server(),
        VALUES["dagsterWebserver"],
        VALUES["dagsterDaemon"],
        {
            "podSecurityContext": at("runLauncher.config.k8sRunLauncher.runK8sConfig")["podSpecConfig"][
                "securityContext"
            ],
            "securityContext": at("runLauncher.config.k8sRunLauncher.runK8sConfig")["containerConfig"][
                "securityContext"
            ],
        },
    ]
    for pod in pods:
        assert (pod["podSecurityContext"]["runAsNonRoot"], pod["podSecurityContext"]["runAsUser"]) == (True, 10001)
        assert pod["securityContext"]["readOnlyRootFilesystem"] is True
        assert pod["securityContext"]["allowPrivilegeEscalation"] is False
        assert pod["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def named(kind: str) -> dict[str, dict[str, Any]]:
    """Return the objects of a kind, of the cluster without the chart, by name."""
    return {one["metadata"]["name"]: one for one in [*RESOURCES, *SERVERS] if one["kind"] == kind}


def test_the_cluster_without_the_chart_has_every_object_that_its_pods_name() -> None:
    launcher = CLUSTER["run_launcher"]["config"]
    assert set(named("ServiceAccount")) == {launcher["service_account_name"]}
    assert {one["metadata"].get("namespace", "sf-assets") for one in [*RESOURCES, *SERVERS]} == {
        launcher["job_namespace"]
    }
    chart = VALUES["dagsterDaemon"]
    for name, one in named("Deployment").items():
        pod = one["spec"]["template"]["spec"]
        assert pod["securityContext"] == chart["podSecurityContext"]
        for container in pod["containers"]:
            assert container["image"] == launcher["job_image"]
            assert container["securityContext"] == chart["securityContext"]
            assert container["envFrom"] == [
                *({"configMapRef": {"name": source}} for source in launcher["env_config_maps"]),
                *({"secretRef": {"name": source}} for source in launcher["env_secrets"]),
            ]
            assert {volume["name"] for volume in pod["volumes"]} == {one["name"] for one in container["volumeMounts"]}
        assert one["spec"]["selector"]["matchLabels"] == one["spec"]["template"]["metadata"]["labels"] == {"app": name}
        assert pod["automountServiceAccountToken"] is (name != "dagster-viewer")
    assert {name: one["spec"]["selector"] for name, one in named("Service").items()} == {
        name: {"app": name} for name in ("dagster-webserver", "dagster-viewer")
    }


def test_the_daemon_reads_the_code_of_the_container_beside_it_by_the_name_that_the_web_servers_have_for_it() -> None:
    daemon, code = named("Deployment")["dagster-daemon"]["spec"]["template"]["spec"]["containers"]
    (location,) = yaml.safe_load(named("ConfigMap")["dagster-workspace"]["data"]["workspace.yaml"])["load_from"]
    assert location["grpc_server"] == {"host": "127.0.0.1", "port": 3030, "location_name": "sf_assets.definitions"}
    assert code["command"][-4:] == ["--host", "127.0.0.1", "--port", "3030"]
    assert {"name": "workspace", "mountPath": str(Path(daemon["command"][-1]).parent)} in daemon["volumeMounts"]
    for name in ("dagster-webserver", "dagster-viewer"):
        (pages,) = named("Deployment")[name]["spec"]["template"]["spec"]["containers"]
        assert pages["command"][-2:] == ["--module-name", location["grpc_server"]["location_name"]]


def test_the_services_of_one_server_read_the_code_of_one_of_them_by_the_name_of_runs_of_the_command_line() -> None:
    units = {path.stem: path.read_text() for path in DEPLOY.glob("*.service")}
    commands = {name: re.findall(r"^ExecStart=\S+/(.*)$", text, re.MULTILINE)[0] for name, text in units.items()}
    (location,) = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"]
    name = CODE_LOCATION.code_location_origin.location_name
    assert location["grpc_server"]["location_name"] == name
    socket = location["grpc_server"]["socket"]
    assert commands.pop("sf-code") == f"dagster api grpc -m {name} --socket {socket}"
    assert f"RuntimeDirectory={Path(socket).parent.name}" in units["sf-code"]
    # Only the server is told to stop: it waits for its runs, which systemd would otherwise end with it.
    assert {"KillMode=mixed", "TimeoutStopSec=600"} <= set(units["sf-code"].splitlines())
    assert all("-w /var/lib/sf_assets/workspace.yaml" in command for command in commands.values())


def test_the_daemon_may_delete_the_job_and_the_pod_of_a_cancelled_run_and_nothing_else() -> None:
    (role,) = named("Role").values()
    may_delete = {resource for rule in role["rules"] if "delete" in rule["verbs"] for resource in rule["resources"]}
    assert may_delete == {"jobs", "jobs/status", "pods"}
    assert {group for rule in role["rules"] for group in rule["apiGroups"]} == {"", "batch"}


def test_a_range_of_months_waits_for_code_that_cannot_be_loaded() -> None:
    # Dagster's own variable: without it, a code server that does not answer ends the range and cancels its runs.
    assert named("ConfigMap")["sf-assets-settings"]["data"]["DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR"] == "1"
    assert "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR=1" in (DEPLOY / "sf_assets.env").read_text().splitlines()


def test_there_is_one_daemon_and_the_viewer_launches_nothing() -> None:
    daemon, viewer = (named("Deployment")[f"dagster-{name}"]["spec"] for name in ("daemon", "viewer"))
    assert (daemon["replicas"], daemon["strategy"]) == (1, {"type": "Recreate"})
    assert "--read-only" in viewer["template"]["spec"]["containers"][0]["command"]


def test_every_pod_leaves_a_dead_host_after_a_minute() -> None:
    runs = at("runLauncher.config.k8sRunLauncher.runK8sConfig")["podSpecConfig"]
    in_chart = [
        at("dagster-user-deployments")["deployments"][0],
        VALUES["dagsterWebserver"],
        VALUES["dagsterDaemon"],
        runs,
    ]
    without = [one["spec"]["template"]["spec"] for one in named("Deployment").values()]
    for pod in [*in_chart, *without]:
        assert {(one["key"], one["tolerationSeconds"]) for one in pod["tolerations"]} == {
            ("node.kubernetes.io/unreachable", 60),
            ("node.kubernetes.io/not-ready", 60),
        }


def test_the_settings_of_the_cluster_are_valid_and_hold_no_secret() -> None:
    found = named("ConfigMap")["sf-assets-settings"]
    settings = Settings.from_environment(found["data"])
    assert (settings.run_months, settings.catalog.startswith("postgres:")) == (12, True)
    texts = "".join(path.read_text() for path in (DEPLOY / "kubernetes").glob("*.yaml"))
    assert not re.search(r"^\s*(postgresqlPassword|stringData|\w*(PASSWORD|SECRET)\w*): *\S", texts, re.MULTILINE)
    mode = int(found["data"]["SF_MEMORY_LIMIT"].removesuffix("GB"))
    assert mode < int(
        CLUSTER["run_launcher"]["config"]["run_k8s_config"]["container_config"]["resources"]["limits"]["memory"][0]
    )


def test_the_server_of_the_catalog_looks_after_a_lost_host_within_two_minutes(
    postgres_dsn: str, tmp_path: Path
) -> None:
    options = named("ConfigMap")["sf-assets-settings"]["data"]["SF_CATALOG"].partition("options=")[2]
    values = {name: int(value) for name, value in re.findall(r"-c tcp_keepalives_(\w+)=(\d+)", options)}
    assert values["idle"] + values["interval"] * values["count"] < 120
    # A server refuses a connection with an option that it does not know.
    catalog = f"postgres:{create_database(postgres_dsn, 'with_options')} options={options}"
    with Warehouse(catalog=catalog, data_path=str(tmp_path / "tables"), threads=1).session() as session:
        write(session, MONTHS[:1], 1, 50)


def test_the_image_has_no_default_base_installs_by_hash_and_runs_as_a_user() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("FROM")] == ["FROM ${BASE} AS build", "FROM ${BASE}"]
    assert {line for line in lines if line.startswith("ARG")} == {"ARG BASE"}
    installs = [line for line in lines if "pip install" in line and "/src/wheel" not in line]
    assert installs
    assert all("--require-hashes" in line and "--no-deps" in line for line in installs)
    assert "USER 10001:10001" in lines
    locked = (DEPLOY / "requirements-kubernetes.lock").read_text()
    run = (ROOT / "requirements-run.lock").read_text()
    pinned = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
    differences = dict(pinned.findall(run)).items() - dict(pinned.findall(locked)).items()
    assert differences == set()
    assert {"dagster-k8s", "dagster-postgres", "dagster-aws", "psycopg2-binary"} <= dict(pinned.findall(locked)).keys()


@pytest.mark.parametrize("base", ["", "python:3.12-slim", "python@sha256:abc"])
def test_the_image_refuses_a_base_without_its_digest(base: str) -> None:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    (guard,) = re.findall(r"^RUN (case .*)$", text, re.MULTILINE)

    def built_on(name: str) -> int:
        return subprocess.run(["sh", "-c", guard], env={"BASE": name}, capture_output=True, check=False).returncode

    assert built_on(base) == 1
    assert built_on(f"python:3.12-slim@sha256:{'0' * 64}") == 0


def run_script(name: str, *arguments: Path, catalog: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "SF_CATALOG": catalog}
    command = [DEPLOY / name, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def rows(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    query = "select month, siren, numero from lake.{} order by all"
    return [row for table in ("debts", "features") for row in warehouse.query(query.format(table)).iter_rows()]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_backup_is_restored_elsewhere_with_the_same_rows(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "restored"
    catalog, other = str(data / "warehouse" / "catalog.sqlite"), str(elsewhere / "warehouse" / "catalog.sqlite")
    if kind == "postgres":
        dsn = request.getfixturevalue("postgres_dsn")
        for name in ("backed_up", "restored"):
            subprocess.run(["psql", "-q", "-d", dsn, "-c", f"create database {name}"], check=True)
        catalog, other = (
            f"postgres:{dsn.replace('dbname=postgres', f'dbname={name}')}" for name in ("backed_up", "restored")
        )
    warehouse = Warehouse(catalog=catalog, data_path=str(data / "warehouse" / "tables"), threads=1)
    with warehouse.session() as session:
        write(session, MONTHS, 1, 50)
        write(session, MONTHS[:2], 2, 50)
    (data / "models" / "2610").mkdir(parents=True)
    (data / "models" / "2610" / "card.json").write_text("{}")
    expected = rows(warehouse)

    saved = run_script("backup.sh", data, tmp_path / "backup", catalog=catalog if kind == "postgres" else "")
    assert saved.returncode == 0, saved.stderr
    with warehouse.session() as session:
        write(session, MONTHS, 3, 50)
    done = run_script("restore.sh", tmp_path / "backup", elsewhere, catalog=other if kind == "postgres" else "")
    assert done.returncode == 0, done.stderr
    restored = replace(warehouse, catalog=other, data_path=str(elsewhere / "warehouse" / "tables"))
    assert rows(restored) == expected
    assert (elsewhere / "models" / "2610" / "card.json").read_text() == "{}"
    with restored.session() as session:
        write(session, MONTHS, 4, 50)
    assert {row[2] for row in rows(restored)} == {4}
    assert {row[2] for row in rows(warehouse)} == {3}


def test_a_damaged_backup_is_not_restored(tmp_path: Path) -> None:
    data = tmp_path / "data"
    warehouse = Warehouse(
        catalog=str(data / "warehouse" / "catalog.sqlite"), data_path=str(data / "warehouse" / "tables")
    )
    with warehouse.session() as session:
        write(session, MONTHS[:1], 1, 50)
    assert run_script("backup.sh", data, tmp_path / "backup").returncode == 0
    assert "expected a new folder" in run_script("backup.sh", data, tmp_path / "backup").stderr
    (damaged,) = (tmp_path / "backup").rglob("debts/*.parquet")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    refused = run_script("restore.sh", tmp_path / "backup", tmp_path / "restored")
    assert (refused.returncode, "damaged or incomplete, nothing was restored" in refused.stderr) == (1, True)
    assert not (tmp_path / "restored").exists()
