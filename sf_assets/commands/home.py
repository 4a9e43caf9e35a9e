"""The home of Dagster when DAGSTER_HOME is not set: a folder beside the data, with this project's settings, no telemetry.

Without DAGSTER_HOME the programs of Dagster use a temporary folder and send usage statistics. `sf_assets_home.pth`,
installed beside this package, calls `ensure_home` whenever one of these programs starts.
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
    """Return the folder of DAGSTER_HOME; when it is not set, set it to a new folder `dagster` in the folder of data.

    Processes that this one starts inherit it. A folder that DAGSTER_HOME names is left unchanged.
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
    """Open the instance of Dagster that stores the runs."""
    ensure_home()
    with dg.DagsterInstance.get() as opened:
        yield opened
