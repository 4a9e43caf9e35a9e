"""`sf maintenance`: the maintenance of the warehouse."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from sf_assets.commands.arguments import UPKEEP


def maintenance(
    apply: Annotated[bool, typer.Option("--apply", help="Apply the changes; without it, only count them.")] = False,
    keep_months: Annotated[int, typer.Option(help="Months of snapshots that are retained, at least 24.")] = 24,
) -> None:
    """Merge small files, expire old snapshots, remove unreferenced files. Writers wait meanwhile.

    Back up the catalog and the files first. Example: `sf maintenance --apply`
    """
    from sf_assets.operations.maintenance import run_maintenance  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    settings = Settings.from_environment()
    done = run_maintenance(
        warehouse_of(settings),
        settings.folders,
        at=datetime.now(UTC),
        keep_months=keep_months,
        dry_run=not apply,
    )
    sys.stdout.writelines(f"{line}\n" for line in (*done.warnings(), done.summary))


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command(rich_help_panel=UPKEEP)(maintenance)
