"""Where Dagster keeps its runs when nobody says: beside the data, as this project wants it kept, without telemetry.

Without DAGSTER_HOME the programs of Dagster use a folder that they throw away, and send figures of usage to its makers.
`sf_assets_home.pth`, installed beside this package, asks for a home whenever one of them starts.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import dagster as dg

from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.settings import Settings

_VARIABLE = "DAGSTER_HOME"
_SETTINGS = "dagster.yaml"


def ensure_home() -> Path:
    """Return the folder of DAGSTER_HOME; without one, make it `dagster` in the folder of data, for this process and its own.

    A folder that somebody named is left as it is.
    """
    if named := os.environ.get(_VARIABLE):
        return Path(named)
    home = make_private_folder(Settings.from_environment().data_dir.absolute() / "dagster")
    if not (home / _SETTINGS).exists():
        # Several programs may start at once.
        draft = home / f".{_SETTINGS}.{os.getpid()}"
        draft.write_bytes(files("sf_assets").joinpath(_SETTINGS).read_bytes())
        draft.replace(home / _SETTINGS)
    os.environ[_VARIABLE] = str(home)
    return home


@contextmanager
def instance() -> Iterator[dg.DagsterInstance]:
    """Open the instance that runs are kept in."""
    ensure_home()
    with dg.DagsterInstance.get() as opened:
        yield opened
