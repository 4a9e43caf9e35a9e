"""A folder is replaced as a whole, at whichever step the process is killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from sf_assets.engine.storage.folders import replace_folder

# Exits at the given rename without any cleaning up, as a machine that loses power does.
KILLED = """
import os, sys
from pathlib import Path
from sf_assets.engine.storage.folders import replace_folder
target, archive, dies_at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
rename, done = Path.rename, []
def once(self, other):
    done.append(other)
    if len(done) == dies_at:
        os._exit(9)
    return rename(self, other)
Path.rename = once
with replace_folder(target, lambda _: target.with_name(archive) if archive else None) as draft:
    (draft / "list.csv").write_text("new")
"""


def publish(target: Path, text: str, archive: str = "") -> None:
    with replace_folder(target, lambda _: target.with_name(archive) if archive else None) as draft:
        (draft / "list.csv").write_text(text)


@pytest.mark.parametrize("archive", ["", "2610_v1"])
@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_a_publication_killed_at_any_step_loses_neither_list(tmp_path: Path, dies_at: int, archive: str) -> None:
    target = tmp_path / "2610"
    publish(target, "former")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(target), archive, str(dies_at)], check=False)
    assert killed.returncode == 9
    with pytest.raises(OSError, match="disk full"), replace_folder(target):
        raise OSError("disk full")
    # The next publication, even one that fails, first completes or undoes the killed one.
    began = dies_at == 3
    assert (target / "list.csv").read_text() == ("new" if began else "former")
    if archive and began:
        assert (tmp_path / archive / "list.csv").read_text() == "former"
    publish(target, "next", "2610_v2")
    assert (target / "list.csv").read_text() == "next"
    assert (tmp_path / "2610_v2" / "list.csv").read_text() == ("new" if began else "former")
    left = {path.name for path in tmp_path.iterdir()} - {"2610", "2610_v2", archive}
    assert all(name.startswith(".draft-") for name in left), "only the draft of a publication that had not begun"


def test_a_killed_publication_of_a_new_folder_is_finished(tmp_path: Path) -> None:
    target = tmp_path / "2610"
    subprocess.run([sys.executable, "-c", KILLED, str(target), "", "2"], check=False)
    assert not target.exists()
    publish(target, "next", "2610_v1")
    assert (tmp_path / "2610_v1" / "list.csv").read_text() == "new"
