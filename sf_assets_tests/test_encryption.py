"""Each recipient's folder is encrypted for its public key, and only then is the package that encrypts needed."""

import io
import stat
import sys
import tarfile
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality.gate import Gate
from sf_assets.publication.encryption import encrypt_folders, recipient_keys
from sf_assets.vocabulary.failures import UserError
from sf_assets_tests.planted_month import MONTH, deliver, plant_rows
from sf_assets_tests.runs import Place

KEY = "age1" + "q" * 58


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """Return the folder of a published version with two recipients."""
    folder = tmp_path / "v1"
    for name in ("codefi-21", "ddets-69"):
        (folder / "destinataires" / name).mkdir(parents=True)
        path = folder / "destinataires" / name / "liste_2509.csv"
        path.write_text(f"SIREN;{name}")
        path.chmod(0o400)
    return folder


def pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put in place of the package one that writes the key before the content."""
    recipient = SimpleNamespace(from_str=lambda key: key)
    fake = SimpleNamespace(
        x25519=SimpleNamespace(Recipient=recipient), encrypt=lambda content, keys: keys[0].encode() + content
    )
    monkeypatch.setitem(sys.modules, "pyrage", fake)


def test_each_recipient_with_a_key_gets_an_archive_of_its_own_folder(
    version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch)
    (path,) = encrypt_folders(version, date(2025, 9, 1), {"codefi-21": KEY, "parti": KEY}, tmp_path / "remise")
    assert path.name == "codefi-21_2509_v1.tar.age"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    assert content.startswith(KEY.encode())
    with tarfile.open(fileobj=io.BytesIO(content.removeprefix(KEY.encode()))) as archive:
        (entry,) = archive.getmembers()
        assert (entry.name, entry.uname, entry.uid) == ("codefi-21/liste_2509.csv", "", 0)
        file = archive.extractfile(entry)
        assert file is not None
        assert file.read() == b"SIREN;codefi-21"
    encrypt_folders(version, date(2025, 9, 1), {"codefi-21": KEY}, tmp_path / "remise")


def test_without_the_package_the_message_says_what_to_install(
    version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyrage", None)
    with pytest.raises(UserError, match=r"pip install 'sf-assets\[encryption\]'"):
        encrypt_folders(version, date(2025, 9, 1), {"codefi-21": KEY}, tmp_path / "remise")
    with pytest.raises(UserError, match="expected a recipient with a public key"):
        encrypt_folders(version, date(2025, 9, 1), {}, tmp_path / "remise")
    assert not (tmp_path / "remise").exists()


def test_what_is_encrypted_is_decrypted_with_the_recipient_s_own_key(version: Path, tmp_path: Path) -> None:
    age = pytest.importorskip("pyrage", reason="no pyrage: install the extra `encryption`")
    mine, other = (age.x25519.Identity.generate() for _ in range(2))
    (path,) = encrypt_folders(version, date(2025, 9, 1), {"codefi-21": str(mine.to_public())}, tmp_path / "remise")
    assert b"codefi-21" not in path.read_bytes()
    assert b"SIREN;codefi-21" in age.decrypt(path.read_bytes(), [mine])
    with pytest.raises(age.DecryptError):
        age.decrypt(path.read_bytes(), [other])


def test_keys_are_those_of_the_rights_in_force(tmp_path: Path) -> None:
    place = Place(tmp_path)
    plant_rows(place, "src_acces", [])
    row = {"role": "CODEFI", "zones": "21", "droits": "score", "revu_le": MONTH, "valable_jusqu_au": MONTH}
    deliver(place, "stg_acces", [row | {"destinataire": "a", "cle": KEY}, row | {"destinataire": "b"}])
    with place.warehouse.session() as session:
        assert recipient_keys(session, Gate(SUITES), MONTH) == {"a": KEY}
