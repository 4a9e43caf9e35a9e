"""Download of open data into the folder of a month: interrupted downloads resume, and every file is verified.

It is a convenience: files may come by any other way, and nothing else of this project needs the network.
"""

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.sources.downloads import Download
from sf_assets.vocabulary.failures import UserError

SUMS = "SHA256SUMS"
_CHUNK = 1 << 20
_SECONDS = 60  # without an answer
# Some portals answer an empty body to programs without a name.
_HEADERS = {"User-Agent": "sf_assets (open data of French companies)", "Accept-Encoding": "identity"}
_PARTIAL, _WHOLE, _BEYOND = 206, 200, 416


class CannotFetch(UserError):
    """A file could not be downloaded, or is not the published one."""


@dataclass(frozen=True, slots=True)
class _Version:
    """What tells one version of a published file from another: its size, and the marks of the server; empty when unknown."""

    url: str
    size: int | None
    etag: str
    modified: str

    @property
    def mark(self) -> str:
        """The mark by which a server knows whether the rest of a file belongs to its beginning; weak marks do not."""
        return self.modified if self.etag.startswith("W/") else self.etag or self.modified


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file of the folder: its size and checksum, the bytes that this call downloaded, those that an earlier call left."""

    name: str
    bytes: int
    sha256: str
    downloaded: int
    resumed_from: int


def fetch(downloads: Sequence[Download], folder: Path, mirror: str = "") -> Iterator[Fetched]:
    """Download files into a folder one after the other, and yield each once it is whole and verified.

    A file whose published version is there already is not downloaded again. With a `mirror`, an address below which the files
    have their names, they come from there; when it has a file `SHA256SUMS`, every file must have its checksum.

    Raises:
        CannotFetch: no server answers, a file is not published there, is cut, or has another checksum. What was downloaded
            stays, so that the next call resumes.

    """
    if mirror and not mirror.startswith(("http://", "https://")):
        raise CannotFetch(f"mirror: expected an address in http or https, found {mirror!r}")
    make_private_folder(folder)
    sums = _checksums(mirror) if mirror else {}
    for download in downloads:
        url = f"{mirror.rstrip('/')}/{urllib.parse.quote(download.name)}" if mirror else download.url
        yield _fetch(url, folder / download.name, sums.get(download.name))


def _fetch(url: str, path: Path, expected: str | None) -> Fetched:
    part, note = path.with_name(f".{path.name}.part"), path.with_name(f".{path.name}.json")
    if path.is_file() and (there := _unchanged(url, path, note, expected)):
        return there
    started = part.stat().st_size if part.is_file() else 0
    known = _noted(note) if started else None
    if started and (known is None or known.url != url or not known.mark):
        started = 0
    headers = {"Range": f"bytes={started}-", "If-Range": known.mark} if started and known else {}
    with _open(url, headers) as answer:
        resumed = started if answer.status == _PARTIAL else 0
        version = known if resumed and known else _version(url, answer)
        _write_note(note, asdict(version))
        downloaded = _append(answer, part, at=resumed, name=path.name)
    if version.size is not None and part.stat().st_size != version.size:
        raise CannotFetch(
            f"{path.name}: expected {version.size:,} bytes, found {part.stat().st_size:,}: the download was cut. Fetch again: it "
            "resumes where it stopped"
        )
    found = sha256_of(part)
    if expected and found != expected:
        part.unlink()
        raise CannotFetch(f"{path.name}: expected the checksum {expected} of {SUMS}, found {found}. Fetch it again")
    _write_note(note, asdict(version) | {"sha256": found})
    part.replace(path)
    return Fetched(path.name, path.stat().st_size, found, downloaded, resumed)


def _unchanged(url: str, path: Path, note: Path, expected: str | None) -> Fetched | None:
    """Return the file when it is whole and the published version; None when it must be downloaded."""
    facts = _read_note(note)
    found = sha256_of(path)
    if facts.get("sha256") != found or facts.get("url") != url or (expected and expected != found):
        return None
    if not expected:
        with _open(url, {}, method="HEAD") as answer:
            now = _version(url, answer)
        if not now.mark or (now.etag, now.modified) != (facts.get("etag"), facts.get("modified")):
            return None
    return Fetched(path.name, path.stat().st_size, found, 0, 0)


def _append(answer: Any, part: Path, *, at: int, name: str) -> int:
    """Write the body of an answer after the first `at` bytes of a partial file; return the bytes written."""
    written = 0
    with part.open("r+b" if at else "wb") as output:
        output.seek(at)
        output.truncate()
        try:
            while chunk := answer.read(_CHUNK):
                output.write(chunk)
                written += len(chunk)
        except (http.client.HTTPException, OSError) as error:
            raise CannotFetch(
                f"{name}: the download stopped after {at + written:,} bytes ({type(error).__name__}). Fetch again: it resumes"
            ) from error
        finally:
            output.flush()
            os.fsync(output.fileno())
    return written


def _open(url: str, headers: dict[str, str], method: str = "GET") -> Any:
    """Return the answer of a server.

    Raises:
        CannotFetch: there is none, or it is a refusal.

    """
    host = urllib.parse.urlsplit(url).netloc
    # The addresses are those of the declarations, or of a mirror that starts with http.
    request = urllib.request.Request(url, headers=_HEADERS | headers, method=method)  # noqa: S310
    try:
        return urllib.request.urlopen(request, timeout=_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code == _BEYOND and headers:
            return _open(url, {})
        raise CannotFetch(
            f"{host}: expected {url}, found the answer {error.code} {error.reason}. Look whether the file has moved, or put it "
            "into the folder by hand"
        ) from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise CannotFetch(
            f"{host}: expected an answer, found none: this machine may be offline, or behind a proxy. Nothing else needs the "
            "network: fetch the files elsewhere and put them into the folder, or name a mirror"
        ) from error


def _version(url: str, answer: Any) -> _Version:
    size = answer.headers.get("Content-Length")
    return _Version(
        url, int(size) if size else None, answer.headers.get("ETag") or "", answer.headers.get("Last-Modified") or ""
    )


def _checksums(mirror: str) -> dict[str, str]:
    """Return the checksums of a mirror by file name; none when it does not publish them."""
    try:
        with _open(f"{mirror.rstrip('/')}/{SUMS}", {}) as answer:
            lines = answer.read().decode("utf-8").splitlines()
    except CannotFetch as error:
        if isinstance(error.__cause__, urllib.error.HTTPError):
            return {}
        raise
    split = [line.split(maxsplit=1) for line in lines if line.strip()]
    return {name.lstrip("*").strip(): digest.lower() for digest, name in split}


def _read_note(note: Path) -> dict[str, Any]:
    """Return what was noted of a download; nothing when there is no note, or an unreadable one."""
    try:
        facts = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _noted(note: Path) -> _Version | None:
    facts = _read_note(note)
    names = ("url", "size", "etag", "modified")
    return _Version(**{name: facts[name] for name in names}) if {*names} <= facts.keys() else None


def _write_note(note: Path, facts: dict[str, Any]) -> None:
    note.write_text(json.dumps(facts), encoding="utf-8")
