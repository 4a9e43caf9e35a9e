"""`sf publish`, `sf rebuild`, `sf encrypt`: a list is published with a reason, made again to prove it, handed over encrypted."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from sf_assets.commands.arguments import LISTS, MonthArgument


def publish(
    month: MonthArgument,
    by: Annotated[str, typer.Option(help="Name of the person who answers for the publication.")],
    reason: Annotated[str, typer.Option(help="Why the list is published; for a correction, what was wrong.")],
) -> None:
    """Publish a month's list: freeze its files, with a manifest, in a folder that nothing writes to again.

    Every gate of the month must be open, or its failed check accepted. Publishing a month again makes the next version.

    Example: `sf publish 2026-10 --by "C. Duval" --reason "Liste d'octobre"`
    """
    from sf_assets.commands.home import instance as open_instance  # noqa: PLC0415
    from sf_assets.definitions import defs  # noqa: PLC0415
    from sf_assets.operations.launching import run_job  # noqa: PLC0415

    config = {"ops": {"list_publication": {"config": {"by": by, "reason": reason}}}}
    with open_instance() as instance:
        if not run_job(defs, instance, "publish", first=month, config=config):
            raise typer.Exit(1)


def rebuild(
    month: MonthArgument,
    version: Annotated[int, typer.Option(min=1, help="Number of the published version.")],
    into: Annotated[Path | None, typer.Option(help="Empty folder for the files; without it they are removed.")] = None,
) -> None:
    """Make the files of a published list again from its snapshot and model, and compare every byte.

    Ends with 1 when they are not the same; if the code changed since, the message names the version to install.

    Example: `sf rebuild 2026-10 --version 1`
    """
    from sf_assets.catalogue.modes import outside_of  # noqa: PLC0415
    from sf_assets.catalogue.tables import suites_of  # noqa: PLC0415
    from sf_assets.engine.quality.gate import Gate  # noqa: PLC0415
    from sf_assets.publication import rebuilding  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    settings = Settings.from_environment()
    folders = settings.folders
    gate = Gate(suites_of(settings.mode), outside_of(settings.mode))
    proof = rebuilding.rebuild(warehouse_of(settings), gate, folders, month, version, into=into)
    sys.stdout.write(f"{proof.summary}\n")
    if not proof.same:
        raise typer.Exit(1)


def encrypt(
    month: MonthArgument,
    version: Annotated[int, typer.Option(min=1, help="Number of the published version.")],
    into: Annotated[Path, typer.Option(help="Folder of the encrypted archives.")],
) -> None:
    """Encrypt each recipient's folder of a published list for its public key, the column `cle` of access.csv.

    It needs the optional package pyrage; recipients decrypt with age. Example: `sf encrypt 2026-10 --version 1 --into remise`
    """
    from sf_assets.catalogue.tables import SUITES  # noqa: PLC0415
    from sf_assets.engine.quality.gate import Gate  # noqa: PLC0415
    from sf_assets.publication.encryption import encrypt_folders, recipient_keys  # noqa: PLC0415
    from sf_assets.publication.publishing import version_folder  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    settings = Settings.from_environment()
    with warehouse_of(settings).session() as session:
        keys = recipient_keys(session, Gate(SUITES), month)
    folder = version_folder(settings.folders.published, month, version)
    for path in encrypt_folders(folder, month, keys, into):
        sys.stdout.write(f"{path}\n")


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command(rich_help_panel=LISTS)(publish)
    app.command(rich_help_panel=LISTS)(rebuild)
    app.command(rich_help_panel=LISTS)(encrypt)
