"""The cluster of cluster.sh as an administrator uses it: the deployment's files with the values of this site, and its pods."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

NAMESPACE = "sf-assets"
DEPLOY = Path(__file__).parents[1]
IMAGE = "registry.example.fr/sf-assets:0.5.0"
# Two cores for everything: pods ask for less than in production, so that four runs fit.
_REQUESTS = {"cpu": "250m", "memory": "768Mi"}
_LIMITS = {"memory": "3Gi"}
_MEGA = 1_000_000


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster whose files are in `folder`."""

    folder: Path

    def kubectl(self, *arguments: str, text: str = "") -> str:
        """Return what kubectl prints.

        Raises:
            RuntimeError: it failed; with what it says.

        """
        done = subprocess.run(  # noqa: S603
            ["kubectl", "--namespace", NAMESPACE, *arguments],  # noqa: S607
            env={**os.environ, "KUBECONFIG": str(self.folder / "state" / "admin.kubeconfig")},
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def script(self, *arguments: str) -> None:
        """Run cluster.sh."""
        subprocess.run(["bash", Path(__file__).with_name("cluster.sh"), self.folder, *arguments], check=True)  # noqa: S603, S607

    def apply(self, *things: Mapping[str, Any]) -> None:
        """Apply objects."""
        self.kubectl("apply", "-f", "-", text=yaml.safe_dump_all(things))

    def deploy(self, settings: Mapping[str, str], secrets: Mapping[str, str], database: str) -> None:
        """Apply the files of deploy/kubernetes, with `settings` in the places of those of the ConfigMap; wait for their pods."""
        for one in yaml.safe_load_all((DEPLOY / "resources.yaml").read_text()):
            if one["kind"] == "ConfigMap":
                one["data"] |= {**settings, "SF_CATALOG": _catalog_of(database)}
            self.apply(one)
        instance = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
        container = instance["run_launcher"]["config"]["run_k8s_config"]["container_config"]
        container["resources"] = {"requests": _REQUESTS, "limits": _LIMITS}
        instance["compute_logs"]["config"] |= {"endpoint_url": settings["AWS_ENDPOINT_URL"], "use_ssl": False}
        self.apply(
            _object("Secret", "sf-assets-secrets", stringData=dict(secrets)),
            _object("ConfigMap", "dagster-instance", data={"dagster.yaml": yaml.safe_dump(instance, sort_keys=False)}),
        )
        servers = yaml.safe_load((DEPLOY / "servers.yaml").read_text())
        names = []
        for one in servers["items"]:
            if one["kind"] == "Deployment":
                names.append(one["metadata"]["name"])
                template = one["spec"]["template"]
                # Pods read their settings when they start.
                template["metadata"]["annotations"] = {
                    "settings": sha256(repr((settings, database)).encode()).hexdigest()
                }
                for container in template["spec"]["containers"]:
                    container["resources"] = {"requests": _REQUESTS, "limits": _LIMITS}
        self.apply(servers)
        for name in names:
            self.kubectl("rollout", "status", f"deployment/{name}", "--timeout=900s")

    def hold(self, node: str, code: str, settings: Mapping[str, str], database: str) -> None:
        """Start Python code in a pod of a host, with other settings than its daemon's, and wait until it prints something."""
        servers = yaml.safe_load((DEPLOY / "servers.yaml").read_text())["items"]
        (spec,) = [
            one["spec"]["template"]["spec"]
            for one in servers
            if one["metadata"]["name"] == "dagster-viewer" and one["kind"] == "Deployment"
        ]
        values = {**settings, "SF_CATALOG": _catalog_of(database)}
        spec["containers"][0] |= {
            "command": ["python", "-c", code],
            "env": [{"name": name, "value": value} for name, value in values.items()],
            "resources": {"requests": _REQUESTS},
        }
        del spec["containers"][0]["readinessProbe"]
        self.apply(_object("Pod", "holder", spec={**spec, "nodeName": node, "restartPolicy": "Never"}))
        while True:
            with suppress(RuntimeError):  # it has no container yet
                if self.kubectl("logs", "holder"):
                    return
            time.sleep(1)

    def pods(self, **labels: str) -> list[dict[str, Any]]:
        """Return the pods with these labels."""
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        return list(json.loads(self.kubectl("get", "pods", "-o", "json", "-l", selector))["items"])

    def address_of(self, app: str, port: int) -> str:
        """Return the address of the newest pod of a deployment that is ready.

        Raises:
            ConnectionError: there is none now.

        """
        ready = [
            pod
            for pod in sorted(self.pods(app=app), key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
            if _condition(pod, "Ready").get("status") == "True" and "deletionTimestamp" not in pod["metadata"]
        ]
        if not ready:
            raise ConnectionError(f"{app}: expected a pod that is ready, found none")
        return f"http://{ready[-1]['status']['podIP']}:{port}"

    def pod_of(self, run_id: str) -> dict[str, Any] | None:
        """Return the pod of a run; None before it has one."""
        found = self.pods(**{"dagster/run-id": run_id})
        return found[0] if found else None


def _catalog_of(database: str) -> str:
    """Return the catalog of resources.yaml, in another database."""
    (found,) = [
        one for one in yaml.safe_load_all((DEPLOY / "resources.yaml").read_text()) if one["kind"] == "ConfigMap"
    ]
    return str(found["data"]["SF_CATALOG"].replace("dbname=warehouse", f"dbname={database}"))


def _condition(pod: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return next((one for one in pod["status"].get("conditions", ()) if one["type"] == kind), {})


def _object(kind: str, name: str, **content: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, **content}


@dataclass(slots=True)
class Meter:
    """Looks every second at what the kernel counts for each pod: processor seconds, and most memory without file cache in MB."""

    seconds: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Meter":
        threading.Thread(target=self._look, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def _look(self) -> None:
        while not self._stop.is_set():
            for used in Path("/sys/fs/cgroup/cpuacct").glob("sf-host*/kubepods/**/pod*/cpuacct.usage"):
                uid = used.parent.name.removeprefix("pod")
                try:
                    self.seconds[uid] = int(used.read_text()) / 1e9
                    lines = (
                        (Path(str(used.parent).replace("/cpuacct/", "/memory/")) / "memory.stat")
                        .read_text()
                        .splitlines()
                    )
                except OSError:  # the pod has just ended
                    continue
                (rss,) = [int(line.split()[1]) for line in lines if line.startswith("total_rss ")]
                self.memory[uid] = max(self.memory.get(uid, 0), rss / _MEGA)
            time.sleep(1)
