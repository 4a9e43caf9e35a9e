"""`sf answers`: what officers answered about published lists, and what help changes."""

import sys

import typer

from sf_assets.commands.arguments import LISTS, MonthArgument


def answers(month: MonthArgument) -> None:
    """Print what became of the lists published before a month: contacts, delay, usefulness, outcomes, effect of help.

    Groups are in the report of the evaluation. Example: `sf answers 2026-10`
    """
    from sf_assets.evaluation.help_report import help_lines, read_help  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    with warehouse_of(Settings.from_environment()).session() as session:
        lines = [*help_lines(*read_help(session, month))]
    sys.stdout.writelines(f"{line}\n" for line in lines)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command(rich_help_panel=LISTS)(answers)
