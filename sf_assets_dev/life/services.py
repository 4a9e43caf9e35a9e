"""Mishaps of what a deployment stands on: the server of notices, the lock of the warehouse."""

import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from sf_assets.engine.storage.locks import file_lock
from sf_assets.operations.notices import Channels, Notice, deliver, enqueue
from sf_assets_dev.life.deployment import OperatedDeployment
from sf_assets_dev.life.mishap import Mishap

_NUMBERS = re.compile(r"\d+ of \S+")


class _Accepting(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def notices_down(deployment: OperatedDeployment) -> Mishap:
    """Send a notice while the server is down, then up."""
    server = HTTPServer(("127.0.0.1", 0), _Accepting)
    channels = Channels(webhook=f"http://127.0.0.1:{server.server_port}/")
    outbox = deployment.folder / "notices"
    server.server_close()
    enqueue(outbox, "run", Notice("monthly failed", ("stg_debit: refused",)), channels)
    down = deliver(outbox, channels)["run"]
    again = HTTPServer(("127.0.0.1", server.server_port), _Accepting)
    threading.Thread(target=again.serve_forever, daemon=True).start()
    try:
        up = deliver(outbox, channels)["run"]
    finally:
        again.shutdown()
        again.server_close()
    return Mishap(
        "the server of notices is down",
        f"the sensor send_again says: webhook, {down.failed.get('webhook')}, sent again at the next tick",
        (),
        "nothing: the notice came once the server answered",
        bool(down.failed) and up.sent == ("webhook",) and not deliver(outbox, channels),
    )


def lock_held(deployment: OperatedDeployment) -> Mishap:
    """Hold the lock of the warehouse, and ask who holds it."""
    warehouse = deployment.warehouse
    with file_lock(Path(f"{warehouse.catalog}.lock"), "life"), warehouse.session() as session:
        seen = session.writer() or "nobody"
    with warehouse.session() as session:
        free = session.writer() is None
    return Mishap(
        "another process holds the lock of the warehouse",
        f"sf status: the lock is held by {_NUMBERS.sub('…', seen)}: other writers wait",
        ("stop the process that it names, if it no longer works",),
        "nothing: the lock goes away with its process",
        "(life)" in seen and free,
    )
