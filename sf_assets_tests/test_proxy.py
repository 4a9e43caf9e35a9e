"""The proxy of `deploy/` lets in those who have a password, from its own pages, and refuses what another site can send."""

import base64
import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sf_assets_dev.ui import free_port, nginx, proxy_command

DEPLOY = Path(__file__).parents[1] / "deploy"
HOST = "sf.example.fr"
NGINX = nginx() or "nginx: install the Debian package nginx-light"
QUERY = "/graphql?query=%7Bversion%7D"


class Pages(BaseHTTPRequestHandler):
    """Stands for the web server: says what reached it."""

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = json.dumps({"port": self.server.server_address[1], **dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_HEAD = answer  # noqa: N815 - names that the library asks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Proxy:
    """The two servers of the proxy by name, and the ports of what stands behind them."""

    ports: dict[str, int]
    behind: dict[str, int]

    def ask(
        self, method: str, path: str, *, of: str = "operators", login: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request with a password, unless `login` is another or empty; return status, headers and body."""
        login = f"{of}:secret" if login is None else login
        sent = {"Host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
        if login:
            sent["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        context = ssl._create_unverified_context()  # noqa: S323 - a certificate made for this test
        connection = http.client.HTTPSConnection("127.0.0.1", self.ports[of], timeout=20, context=context)
        try:
            connection.request(method, path, body=b"{}" if method == "POST" else None, headers=sent)
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read()
        finally:
            connection.close()

    def status(self, method: str, path: str, **options: str) -> int:
        return self.ask(method, path, **options)[0]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Start nginx on the shipped configuration: other ports, and files in a folder of ours."""
    folder = tmp_path_factory.mktemp("nginx")
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Pages) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    behind = dict(zip(("operators", "viewers"), (server.server_address[1] for server in servers), strict=True))
    ports = {name: free_port() for name in behind}
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}",
         "-keyout", folder / "sf_assets.key", "-out", folder / "sf_assets.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    for name in behind:
        hashed = subprocess.run(["openssl", "passwd", "-apr1", "secret"], check=True, capture_output=True, text=True)
        (folder / f"sf_{name}").write_text(f"{name}:{hashed.stdout}")
    shutil.copy(DEPLOY / "sf_assets_pages.inc", folder)
    shipped = (DEPLOY / "nginx.conf").read_text().replace("/etc/nginx/", f"{folder}/")
    for theirs, ours in (("443", ports["operators"]), ("8443", ports["viewers"])):
        shipped = shipped.replace(f"listen {theirs} ssl", f"listen 127.0.0.1:{ours} ssl")
    for theirs, ours in (("3000", behind["operators"]), ("3001", behind["viewers"])):
        shipped = shipped.replace(f"http://127.0.0.1:{theirs};", f"http://127.0.0.1:{ours};")
    places = " ".join(
        f"{name}_temp_path {folder}/temp;" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/errors;\nevents {{}}\n"
        f"http {{ access_log off; {places}\n{shipped}\n}}\n"
    )
    started = subprocess.Popen([NGINX, "-p", folder, "-e", folder / "errors", "-c", folder / "nginx.conf"])
    try:
        deadline = time.monotonic() + 60
        while not (folder / "pid").exists() and started.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert started.poll() is None, (folder / "errors").read_text()
        yield Proxy(ports, behind)
    finally:
        started.terminate()
        started.wait(20)
        for server in servers:
            server.shutdown()


@pytest.mark.parametrize("of", ["operators", "viewers"])
def test_who_has_a_password_reaches_the_pages_of_their_own_server(proxy: Proxy, of: str) -> None:
    status, headers, content = proxy.ask("GET", "/assets?view=lineage", of=of)
    reached = json.loads(content)
    assert (status, reached["port"], reached["Host"]) == (200, proxy.behind[of], HOST)
    assert "Authorization" not in reached
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert proxy.status("POST", "/graphql", of=of, Origin=f"https://{HOST}", Content_Type="application/json") == 200


@pytest.mark.parametrize(("of", "login"), [("operators", ""), ("operators", "operators:other"), ("operators", "viewers:secret"),
                                            ("viewers", ""), ("viewers", "operators:secret")])  # fmt: skip
def test_nobody_enters_without_a_password_of_that_server(proxy: Proxy, of: str, login: str) -> None:
    for method, path in (("GET", "/"), ("POST", "/graphql"), ("GET", QUERY)):
        status, _, content = proxy.ask(method, path, of=of, login=login, Content_Type="application/json")
        assert status in {401, 405}
        assert b"port" not in content


@pytest.mark.parametrize("of", ["operators", "viewers"])
@pytest.mark.parametrize("origin", ["https://other.example", "null", f"http://{HOST}", f"https://{HOST}.other.example"])
def test_a_page_of_another_site_is_refused(proxy: Proxy, of: str, origin: str) -> None:
    assert proxy.status("POST", "/graphql", of=of, Origin=origin, Content_Type="application/json") == 403
    assert proxy.status("GET", "/graphql", of=of, Origin=origin, Upgrade="websocket", Connection="Upgrade") == 403


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1", "localhost:3000"])
def test_another_host_name_gets_no_answer(proxy: Proxy, host: str) -> None:
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        proxy.ask("GET", "/", Host=host)


@pytest.mark.parametrize("of", ["operators", "viewers"])
def test_what_a_link_or_a_form_of_another_site_can_send_is_refused(proxy: Proxy, of: str) -> None:
    assert proxy.status("GET", QUERY, of=of) == 405
    assert proxy.status("HEAD", QUERY, of=of) == 405
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
    ):
        assert proxy.status("POST", "/graphql", of=of, Content_Type=kind) == 415
    assert proxy.status("POST", "/graphql", of=of) == 415
    for path in ("/report_asset_materialization/list_alerts", "/report_asset_check/list_alerts"):
        assert proxy.status("POST", path, of=of, Content_Type="application/json") == 403


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Start the proxy of `make ui`; return its port."""
    folder = tmp_path_factory.mktemp("local")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = free_port()
    started = subprocess.Popen(proxy_command(NGINX, folder, port=port, inner=server.server_address[1]))
    try:
        deadline = time.monotonic() + 60
        while not (folder / "pid").exists() and started.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert started.poll() is None, (folder / "errors").read_text()
        yield port
    finally:
        started.terminate()
        started.wait(20)
        server.shutdown()


def ask_local(port: int, method: str, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=b"{}" if method == "POST" else None, headers=sent)
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_pages_of_make_ui_answer_their_own_browser(local: int) -> None:
    own = {"Origin": f"http://127.0.0.1:{local}", "Content_Type": "application/json"}
    assert ask_local(local, "GET", "/assets?view=lineage") == 200
    assert ask_local(local, "POST", "/graphql", **own) == 200
    assert ask_local(local, "GET", "/", Host=f"localhost:{local}") == 200


def test_the_pages_of_make_ui_refuse_what_another_site_sends(local: int) -> None:
    assert ask_local(local, "POST", "/graphql", Origin="https://other.example", Content_Type="application/json") == 403
    assert ask_local(local, "POST", "/graphql", Origin="http://127.0.0.1:1", Content_Type="application/json") == 403
    assert ask_local(local, "GET", QUERY) == 405
    assert ask_local(local, "POST", "/graphql", Content_Type="text/plain") == 415
    assert ask_local(local, "POST", "/report_asset_check/list_alerts", Content_Type="application/json") == 403
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask_local(local, "GET", "/", Host="other.example")


def test_the_services_listen_on_the_loopback_and_the_viewer_is_read_only() -> None:
    commands = {
        path.stem: re.findall(r"^ExecStart=(.*)$", path.read_text(), re.MULTILINE) for path in DEPLOY.glob("*.service")
    }
    assert set(commands) == {"sf-webserver", "sf-viewer", "sf-daemon", "sf-code"}
    for name in ("sf-webserver", "sf-viewer"):
        assert "--host 127.0.0.1" in commands[name][0]
    assert "--read-only" in commands["sf-viewer"][0]
    ports = {name: re.findall(r"--port (\d+)", line)[0] for name, (line,) in commands.items() if "--port" in line}
    assert all(f"proxy_pass http://127.0.0.1:{port};" in (DEPLOY / "nginx.conf").read_text() for port in ports.values())


def test_what_the_pages_started_ends_with_them() -> None:
    """Of `make ui` that is terminated, neither a web server nor a daemon is left."""
    serve = f"from sf_assets_dev.ui import run_until_stopped; run_until_stopped({['sh', '-c', 'sleep 600 & echo $!; wait']})"
    with subprocess.Popen([sys.executable, "-c", serve], stdout=subprocess.PIPE, text=True) as pages:
        assert pages.stdout
        child = int(pages.stdout.readline())
        assert is_running(child)
        pages.terminate()
        assert pages.wait(timeout=60) == 0
    until = time.monotonic() + 10
    while is_running(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
