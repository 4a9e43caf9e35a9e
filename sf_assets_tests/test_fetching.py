"""The download of open data, against a server of this machine: resume, checksums, and clear refusals."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sf_assets.operations.fetching import SUMS, CannotFetch, fetch
from sf_assets.sources.batch import source_of
from sf_assets.sources.downloads import DOWNLOADS, Download
from sf_assets.sources.registry import sources_in
from sf_assets.vocabulary.modes import OPEN

NAME = "bodacc_procedures.csv"
BODY = bytes(range(256)) * 400
FILE = (Download(NAME, ""),)


@dataclass
class Site:
    """The files of a server, how it behaves, and the requests that it received."""

    files: dict[str, bytes] = field(default_factory=lambda: {NAME: BODY})
    etag: str = '"one"'
    cut: int | None = None
    ranges: bool = True
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    """Serve files on a port of the loopback."""
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            name, asked = self.path.strip("/"), self.headers.get("Range")
            state.asked.append((self.command, name, asked))
            if name not in state.files:
                self.send_error(404)
                return
            whole, start = state.files[name], 0
            if asked and state.ranges and self.headers.get("If-Range") == state.etag:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(whole):
                    self.send_error(416)
                    return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(whole) - start))
            if state.etag:
                self.send_header("ETag", state.etag)
            self.end_headers()
            if body:
                self.wfile.write(whole[start : state.cut] if state.cut and not start else whole[start:])

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.address = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()


def test_a_file_is_downloaded_whole_with_its_checksum(site: Site, tmp_path: Path) -> None:
    (done,) = fetch(FILE, tmp_path / "2610", site.address)
    assert (tmp_path / "2610" / NAME).read_bytes() == BODY
    assert (done.bytes, done.downloaded, done.resumed_from) == (len(BODY), len(BODY), 0)
    assert done.sha256 == hashlib.sha256(BODY).hexdigest()
    assert not [path for path in (tmp_path / "2610").iterdir() if path.suffix == ".part"]


def test_a_cut_download_resumes_where_it_stopped(site: Site, tmp_path: Path) -> None:
    site.cut = 70_000
    with pytest.raises(CannotFetch, match=f"{NAME}: .*resumes"):
        list(fetch(FILE, tmp_path, site.address))
    assert not (tmp_path / NAME).exists()
    (done,) = fetch(FILE, tmp_path, site.address)
    assert (done.resumed_from, done.downloaded) == (70_000, len(BODY) - 70_000)
    assert (tmp_path / NAME).read_bytes() == BODY
    assert ("GET", NAME, "bytes=70000-") in site.asked


@pytest.mark.parametrize("change", ["a new version", "no ranges", "no mark"])
def test_a_download_starts_again_when_the_rest_may_not_belong_to_its_beginning(
    site: Site, tmp_path: Path, change: str
) -> None:
    site.cut, site.etag = 70_000, "" if change == "no mark" else site.etag
    with pytest.raises(CannotFetch):
        list(fetch(FILE, tmp_path, site.address))
    if change == "a new version":
        site.files[NAME], site.etag = BODY[::-1], '"two"'
    site.ranges, site.cut = change != "no ranges", None
    (done,) = fetch(FILE, tmp_path, site.address)
    assert done.resumed_from == 0
    assert (tmp_path / NAME).read_bytes() == site.files[NAME]


def test_a_published_version_is_downloaded_once(site: Site, tmp_path: Path) -> None:
    list(fetch(FILE, tmp_path, site.address))
    (again,) = fetch(FILE, tmp_path, site.address)
    assert again.downloaded == 0
    site.files[NAME], site.etag = b"new", '"two"'
    (newer,) = fetch(FILE, tmp_path, site.address)
    assert (newer.downloaded, (tmp_path / NAME).read_bytes()) == (3, b"new")


def test_a_file_that_was_changed_here_is_downloaded_again(site: Site, tmp_path: Path) -> None:
    list(fetch(FILE, tmp_path, site.address))
    (tmp_path / NAME).write_bytes(b"changed")
    (again,) = fetch(FILE, tmp_path, site.address)
    assert again.downloaded == len(BODY)


def test_the_checksums_of_a_mirror_are_required(site: Site, tmp_path: Path) -> None:
    site.files[SUMS] = f"{hashlib.sha256(BODY).hexdigest()}  {NAME}\n".encode()
    list(fetch(FILE, tmp_path, site.address))
    site.files[SUMS] = f"{'0' * 64} *{NAME}\n".encode()
    with pytest.raises(CannotFetch, match=f"{NAME}: expected the checksum 0000"):
        list(fetch(FILE, tmp_path, site.address))
    assert (tmp_path / NAME).read_bytes() == BODY, "the file that was there stays"


def test_refusals_say_what_was_expected_and_what_to_do(site: Site, tmp_path: Path) -> None:
    with pytest.raises(CannotFetch, match=r"found the answer 404 .* put it into the folder by hand"):
        list(fetch((Download("moved.csv", ""),), tmp_path, site.address))
    with pytest.raises(CannotFetch, match="expected an address in http or https, found 'ftp://x'"):
        list(fetch(FILE, tmp_path, "ftp://x"))
    # Nobody listens on the port of the discarded server.
    with pytest.raises(CannotFetch, match=r"127.0.0.1:9: .*may be offline.* Nothing else needs the network"):
        list(fetch(FILE, tmp_path, "http://127.0.0.1:9"))


def test_the_declared_files_are_those_of_the_open_sources() -> None:
    sources = {source_of(download.name) for download in DOWNLOADS}
    assert None not in sources
    named = {source.name for source in sources if source}
    open_data = {source.name for source in sources_in(OPEN) if source.legal_basis == "open data"}
    # Staff bands are in the file of legal units.
    assert named == open_data - {"sirene_tranche"}
    assert all(download.url.startswith("https://") and download.licence for download in DOWNLOADS)
