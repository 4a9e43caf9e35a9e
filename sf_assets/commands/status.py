"""`sf status`: the state of each month."""

import json
import sys

import typer

from sf_assets.commands.arguments import MONTH, JsonOption, MonthOption


def status(month: MonthOption = None, as_json: JsonOption = False) -> None:
    """Print the state of each month, layer by layer, and what to do about it.

    Ends with 1 when a month is blocked or waits for a file.

    Examples: `sf status`, `sf status --month 2026-10 --json`
    """
    from sf_assets.operations.status import as_records, known_months, layer_statuses, status_page  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    settings = Settings.from_environment()
    with warehouse_of(settings).session() as session:
        delivered = settings.folders.incoming.names()
        months = [month] if month else known_months(session, delivered)
        statuses = layer_statuses(session, delivered, months, settings.mode)
        writer = session.writer()
    if as_json:
        sys.stdout.write(json.dumps(as_records(statuses), default=str, ensure_ascii=False) + "\n")
    elif not months:
        sys.stdout.write(
            f"{settings.data}: expected delivered files or computed months, found none. `SF_DATA_DIR` names another folder; that "
            "of `make demo` is data/demo.\n"
        )
    else:
        sys.stdout.writelines(f"{line}\n" for line in status_page(statuses))
        if writer:
            sys.stdout.write(f"\nThe lock of the warehouse is held by {writer}: other writers wait.\n")
    if any(item.state in ("blocked", "waiting") for item in statuses):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command(rich_help_panel=MONTH)(status)
