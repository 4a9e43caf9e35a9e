"""`sf quarantine`: refused records, exported to be corrected and read again."""

import sys
from typing import Annotated

import typer

from sf_assets.commands.arguments import QUALITY, MonthArgument

quarantine = typer.Typer(
    no_args_is_help=True, help="Refused records: count them, export them, replay them once corrected."
)

Source = Annotated[str, typer.Argument(help="Source of the records, such as `debit`.")]


@quarantine.command("list")
def list_refused(
    month: MonthArgument, source: Annotated[str | None, typer.Argument(help="One source only.")] = None
) -> None:
    """Count the refused records of a month by source, rule and column, without their values.

    Example: `sf quarantine list 2026-10`
    """
    from sf_assets.operations.quarantine import counts  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    sys.stdout.writelines(f"{line}\n" for line in counts(warehouse_of(Settings.from_environment()), month, source))


@quarantine.command()
def export(month: MonthArgument, source: Source) -> None:
    """Write the refused records of a source into files to be edited, below `data/quarantine/`, with their reasons beside them.

    Example: `sf quarantine export 2026-10 debit`
    """
    from sf_assets.operations.quarantine import export as export_records  # noqa: PLC0415
    from sf_assets.operations.quarantine import place_of, reasons_of  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    settings = Settings.from_environment()
    folders = settings.folders
    # What was edited on this machine is not replaced by what it was made from.
    folders.quarantine.share(month)
    with folders.quarantine.writing(month) as exported:
        place = place_of(folders.incoming.of(month), exported, month, source)
        paths = export_records(warehouse_of(settings), *place)
    if not paths:
        sys.stdout.write(f"{month:%Y-%m}: no record of {source} is refused\n")
    for path in paths:
        sys.stdout.write(f"{path}: records to correct\n{reasons_of(path)}: why each was refused, by line\n")
    if paths:
        sys.stdout.write(f"then: sf quarantine replay {month:%Y-%m} {source}\n")


@quarantine.command()
def replay(month: MonthArgument, source: Source) -> None:
    """Write the edited records of a source into the month's corrections, and print the command that reads them.

    A record restored to its delivered text withdraws its correction.

    Example: `sf quarantine replay 2026-10 debit`
    """
    from sf_assets.operations.quarantine import place_of  # noqa: PLC0415
    from sf_assets.operations.quarantine import replay as replay_records  # noqa: PLC0415
    from sf_assets.operations.reruns import rerun_command  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    settings = Settings.from_environment()
    incoming, edited = settings.folders.incoming, settings.folders.quarantine
    edited.share(month)
    batch, described, folder = place_of(incoming.of(month), edited.of(month), month, source)
    for path, records in replay_records(warehouse_of(settings), batch, described, folder).items():
        sys.stdout.write(f"{path}: {f'{records} corrected records' if records else 'no correction, file removed'}\n")
    incoming.share(month)
    sys.stdout.write(f"then: {rerun_command(month, starts=[described.table])}\n")


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.add_typer(quarantine, name="quarantine", rich_help_panel=QUALITY)
