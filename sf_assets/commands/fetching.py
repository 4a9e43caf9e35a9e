"""`sf fetch-open`: the files of open data, downloaded into the folder of a month."""

import sys
from typing import Annotated

import typer

from sf_assets.commands.arguments import MONTH, MonthArgument


def fetch_open(
    month: MonthArgument,
    mirror: Annotated[
        str, typer.Option(help="Address below which the files have their names; empty for their producers'.")
    ] = "",
) -> None:
    """Download the open files of a month: Sirene, BODACC, published ratios. Run it again to resume.

    A convenience: the files may come by any other way, and nothing else needs the network.

    Example: `sf fetch-open 2026-10`
    """
    from sf_assets.operations.fetching import fetch  # noqa: PLC0415
    from sf_assets.settings import Settings  # noqa: PLC0415
    from sf_assets.sources.batch import batch_key  # noqa: PLC0415
    from sf_assets.sources.downloads import DOWNLOADS  # noqa: PLC0415

    incoming = Settings.from_environment().folders.incoming
    folder = incoming.of(month) / batch_key(month)
    for done in fetch(DOWNLOADS, folder, mirror):
        how = "already there" if not done.downloaded else f"{done.downloaded:,} bytes downloaded"
        how += f", resumed after {done.resumed_from:,}" if done.resumed_from else ""
        sys.stdout.write(f"{done.name}: {done.bytes:,} bytes, {how}, SHA-256 {done.sha256}\n")
        sys.stdout.flush()
    incoming.share(month)
    sys.stdout.write(f"{folder}\n")


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("fetch-open", rich_help_panel=MONTH)(fetch_open)
