"""`sf move`: the move of a deployment to an object store and PostgreSQL."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from sf_assets.commands.arguments import UPKEEP


def move(
    former: Annotated[Path, typer.Argument(metavar="FOLDER", help="Data folder of the former deployment.")],
) -> None:
    """Copy a deployment of one machine to where the settings say: SF_FILES, SF_TABLES, SF_CATALOG, SF_DATA_DIR.

    Stop its services first. Every byte and row is compared; the former deployment stays. Example: `sf move /var/lib/sf_assets`
    """
    from sf_assets.engine.resources import Folders, shelf_of  # noqa: PLC0415
    from sf_assets.operations.moving import move as copy  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    settings, place = Settings.from_environment(), Settings.model_validate({"data_dir": former})
    folders = {**Folders.below(former.absolute()).by_name, "notices": shelf_of(former.absolute(), "notices", None)}
    new = {**settings.folders.by_name, "notices": settings.notices.shelf}
    sys.stdout.write(f"{copy(warehouse_of(place), warehouse_of(settings), folders, new).summary}\n")


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command(rich_help_panel=UPKEEP)(move)
