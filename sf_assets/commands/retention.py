"""`sf retention` and `sf erase`: removal of what is past its time, and of one natural person on request."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from sf_assets.commands.arguments import UPKEEP


def retention(
    apply: Annotated[bool, typer.Option("--apply", help="Remove it; without it, only list it.")] = False,
) -> None:
    """Remove rows, snapshots and folders past their time, then scan the files of the warehouse for what they named.

    Back up nothing that is past its time. Ends with 1 when the scan still finds an identifier. Example: `sf retention`
    """
    from sf_assets.operations.retention import run_retention  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    settings = Settings.from_environment()
    done = run_retention(
        warehouse_of(settings),
        settings.data,
        at=datetime.now(UTC),
        dry_run=not apply,
        dropped=settings.dropped_by_table(),
        shelves=settings.folders.by_name,
    )
    sys.stdout.writelines(f"{line}\n" for line in done.lines())
    if not done.clean:
        raise typer.Exit(1)


def erase(
    siren: Annotated[str, typer.Argument(help="Siren of the natural person, 9 digits.")],
    by: Annotated[str, typer.Option(help="Name of the person who answers for the erasure.")],
    reason: Annotated[str, typer.Option(help="Why, without naming the person: a number of the request.")],
    apply: Annotated[bool, typer.Option("--apply", help="Erase; without it, only count.")] = False,
) -> None:
    """Erase the rows of one natural person on request, then scan the files of the warehouse for its siren.

    Example: `sf erase 512345678 --by "C. Duval" --reason "demande 2026-14"`
    """
    from sf_assets.operations.erasure import erase_person  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    warehouse = warehouse_of(Settings.from_environment())
    done = erase_person(warehouse, siren, by=by, reason=reason, at=datetime.now(UTC), dry_run=not apply)
    sys.stdout.write(f"{done.summary}\n")
    if not done.clean:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command(rich_help_panel=UPKEEP)(retention)
    app.command(rich_help_panel=UPKEEP)(erase)
