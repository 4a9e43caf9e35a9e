"""`sf accept` and `sf acceptances`: failed checks that an operator allows for one month."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from sf_assets.commands.arguments import QUALITY, JsonOption, MonthArgument


def accept(
    month: MonthArgument,
    asset: Annotated[str, typer.Argument(help="Asset whose check failed, such as `stg_debit`.")],
    check: Annotated[str, typer.Argument(help="Name of the failed check, such as `few_refused`.")],
    reason: Annotated[str, typer.Option(help="Reason for which the month may go on.")],
    by: Annotated[str, typer.Option(help="Name of the person who takes the decision.")],
) -> None:
    """Allow one failed check for one month, until its rows are written again.

    Example: `sf accept 2026-10 stg_debit few_refused --reason "URSSAF confirmed the file" --by "A. Martin"`
    """
    from sf_assets.catalogue.tables import suite_named  # noqa: PLC0415
    from sf_assets.operations import acceptance  # noqa: PLC0415
    from sf_assets.operations.reruns import rerun_command  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    settings = Settings.from_environment()
    with warehouse_of(settings).session() as session:
        acceptance.accept(
            session,
            suite_named(asset, settings.mode),
            check,
            month,
            reason=reason,
            accepted_by=by,
            accepted_at=datetime.now(UTC),
        )
        sys.stdout.writelines(f"{line}\n" for line in acceptance.lines(session, month))
    if command := rerun_command(month, after=[asset]):
        sys.stdout.write(f"then: {command}\n")


def acceptances(month: MonthArgument, as_json: JsonOption = False) -> None:
    """List the failed checks that were allowed for a month, and whether each acceptance still holds.

    Example: `sf acceptances 2026-10`
    """
    from sf_assets.operations import acceptance  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    with warehouse_of(Settings.from_environment()).session() as session:
        if as_json:
            records = acceptance.records(session, month)
            sys.stdout.write(json.dumps(records, default=str, ensure_ascii=False) + "\n")
        else:
            lines = list(acceptance.lines(session, month)) or [f"{month:%Y-%m}: no failed check was allowed"]
            sys.stdout.writelines(f"{line}\n" for line in lines)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command(rich_help_panel=QUALITY)(accept)
    app.command(rich_help_panel=QUALITY)(acceptances)
