"""`make ui`: Dagster's pages on this machine, behind the refusals of `deploy/` where nginx is installed.

The web server has no users and answers what any page open in the same browser sends it. Behind nginx, requests with a foreign
Origin or Host, with a query in an address, or with a body that is not JSON get no further; the web server itself listens on a
port that is drawn at each start.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_DEPLOY = Path(__file__).parents[1] / "deploy"
_WITHOUT = (
    "nginx is not installed: until it is (apt-get install nginx-light), open no other site in the browser that shows these "
    "pages, since any page could launch runs through it.\n"
)

# What `dagster dev` takes to end its own processes.
_PATIENCE_SECONDS = 20
_PAUSE_SECONDS = 0.2


def nginx() -> str | None:
    """Return the path of nginx, which Debian installs outside of the path of users; None where there is none."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def proxy_command(program: str, folder: Path, *, port: int, inner: int) -> list[str]:
    """Write the configuration of the proxy into `folder`; return the command that starts it."""
    text = (_DEPLOY / "nginx-local.conf").read_text(encoding="utf-8")
    values = {"folder": folder, "port": port, "inner": inner, "pages": _DEPLOY / "sf_assets_pages.inc"}
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    if os.geteuid() == 0:  # its workers would not read the folder as another user
        text = f"user root;\n{text}"
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    return [program, "-p", str(folder), "-e", str(folder / "errors"), "-c", str(folder / "nginx.conf")]


def free_port() -> int:
    """Return a port of the loopback that nobody uses."""
    with socket.socket() as drawn:
        drawn.bind(("127.0.0.1", 0))
        return int(drawn.getsockname()[1])


def run_until_stopped(command: Sequence[str]) -> int:
    """Run a server until it ends, or until this process is interrupted or terminated; the processes it started end with it.

    Return its exit code, or 0 when it was stopped.
    """
    # Handlers that only take note: an exception could be raised between the start of the server and what ends it.
    stopped: list[int] = []
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda number, _: stopped.append(number))
    server = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own command
    try:
        while server.poll() is None and not stopped:
            time.sleep(_PAUSE_SECONDS)
        if server.returncode is not None:
            return server.returncode
        server.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            server.wait(_PATIENCE_SECONDS)
        return 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def serve(port: int) -> int:
    """Show the pages at `port` of the loopback until they are stopped; return the exit code of the web server."""
    program = nginx()
    inner = free_port() if program else port
    # Dagster 1.13 would have `dg dev` instead, which starts the same services.
    os.environ["PYTHONWARNINGS"] = "ignore:Function `dev_command` is superseded"
    dagster = [
        str(Path(sys.executable).with_name("dagster")),
        "dev",
        "--workspace",
        "workspace.yaml",
        "--host",
        "127.0.0.1",
    ]
    if program is None:
        sys.stdout.write(_WITHOUT)
        return run_until_stopped([*dagster, "--port", str(inner)])
    with tempfile.TemporaryDirectory(prefix="sf_ui_") as folder:
        proxy = subprocess.Popen(proxy_command(program, Path(folder), port=port, inner=inner))  # noqa: S603 - the same
        try:
            sys.stdout.write(f"The pages are at http://127.0.0.1:{port} (the port that Dagster names is behind it)\n")
            sys.stdout.flush()
            return run_until_stopped([*dagster, "--port", str(inner)])
        finally:
            proxy.terminate()
            proxy.wait()
