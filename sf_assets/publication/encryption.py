"""Encrypted hand-over: one archive for each recipient that has a public key (age), made from its folder of a published version.

The version itself stays as it is, so that it can be made again byte for byte: encryption draws a new secret each time.
"""

import io
import tarfile
from collections.abc import Callable, Mapping
from datetime import date
from importlib import import_module
from pathlib import Path

from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.publication.sharing import FOLDER
from sf_assets.sources.batch import batch_key
from sf_assets.staging.in_force import reads_at
from sf_assets.vocabulary.failures import UserError

Encrypt = Callable[[bytes, str], bytes]
_KEYS = "select destinataire, cle from stg_acces where cle is not null order by destinataire"


def recipient_keys(session: Session, gate: Gate, month: date) -> dict[str, str]:
    """Return the public keys of recipients, by name, in the file of rights that was in force for a month's list."""
    reads, gates = reads_at(gate, session, ["stg_acces"], month)
    gate.check(session, gates)
    session.bind(reads)
    return dict(session.connection.execute(_KEYS).fetchall())


def encrypt_folders(version: Path, month: date, keys: Mapping[str, str], into: Path) -> tuple[Path, ...]:
    """Write one encrypted archive below `into` for each folder of a published version whose recipient has a key.

    Raises:
        UserError: there is no folder with a key, or the package that encrypts is missing.

    """
    folders = [folder for folder in sorted((version / FOLDER).glob("*")) if folder.name in keys]
    if not folders:
        raise UserError(
            f"{version}: expected a recipient with a public key, found none. Add the column `cle` (age1…) to access.csv."
        )
    encrypt = _encryption()
    make_private_folder(into)
    written = []
    for folder in folders:
        path = into / f"{folder.name}_{batch_key(month)}_{version.name}.tar.age"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(encrypt(_archive(folder), keys[folder.name]))
        written.append(path)
    return tuple(written)


def _encryption() -> Encrypt:
    """Return the function that encrypts bytes for a public key; its package is loaded only now."""
    try:
        age = import_module("pyrage")
    except ImportError:
        raise UserError(
            "pyrage: expected the optional package that encrypts, found none. Install it: pip install 'sf-assets[encryption]'"
        ) from None

    def encrypt(content: bytes, key: str) -> bytes:
        return bytes(age.encrypt(content, [age.x25519.Recipient.from_str(key)]))

    return encrypt


def _archive(folder: Path) -> bytes:
    """Return the files of a folder as a tar archive, which opens as a folder of that name."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.add(path, arcname=f"{folder.name}/{path.relative_to(folder)}", filter=_anonymous)
    return content.getvalue()


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Remove the account of the system, and let the reader of the archive write."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry
