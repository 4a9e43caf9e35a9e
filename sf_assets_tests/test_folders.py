"""A folder is replaced as a whole, whatever kills the publication and wherever."""

import subprocess
import sys
from pathlib import Path

import pytest

from sf_assets.engine.storage.folders import replace_folder

# Dies at the given rename, as a machine that loses its power does: nothing is cleaned up.
KILLED = """
import os, sys
from pathlib import Path
from sf_assets.engine.storage.folders import replace_folder
target, aside, dies_at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
rename, done = Path.rename, []
def once(self, other):
    done.append(other)
    if len(done) == dies_at:
        os._exit(9)
    return rename(self, other)
Path.rename = once
with replace_folder(target, lambda _: target.with_name(aside) if aside else None) as draft:
    (draft / "list.csv").write_text("new")
"""


def publish(target: Path, text: str, aside: str = "") -> None:
    with replace_folder(target, lambda _: target.with_name(aside) if aside else None) as draft:
        (draft / "list.csv").write_text(text)


@pytest.mark.parametrize("aside", ["", "2610_v1"])
@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_a_publication_killed_at_any_step_loses_neither_list(tmp_path: Path, dies_at: int, aside: str) -> None:
    target = tmp_path / "2610"
    publish(target, "former")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(target), aside, str(dies_at)], check=False)
    assert killed.returncode == 9
    with pytest.raises(OSError, match="disk full"), replace_folder(target):
        raise OSError("disk full")
    # The next publication, failed or not, first brings the killed one to its end or undoes it.
    began = dies_at == 3
    assert (target / "list.csv").read_text() == ("new" if began else "former")
    if aside and began:
        assert (tmp_path / aside / "list.csv").read_text() == "former"
    publish(target, "next", "2610_v2")
    assert (target / "list.csv").read_text() == "next"
    assert (tmp_path / "2610_v2" / "list.csv").read_text() == ("new" if began else "former")
    left = {path.name for path in tmp_path.iterdir()} - {"2610", "2610_v2", aside}
    assert all(name.startswith(".draft-") for name in left), "only the draft of a publication that had not begun"


def test_a_killed_publication_of_a_new_folder_is_finished(tmp_path: Path) -> None:
    target = tmp_path / "2610"
    subprocess.run([sys.executable, "-c", KILLED, str(target), "", "2"], check=False)
    assert not target.exists()
    publish(target, "next", "2610_v1")
    assert (tmp_path / "2610_v1" / "list.csv").read_text() == "new"
