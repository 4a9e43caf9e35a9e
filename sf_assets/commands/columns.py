"""`sf columns`: what each stored column is used for."""

import sys
from typing import Annotated

import typer

from sf_assets.commands.arguments import UPKEEP


def columns(table: Annotated[str, typer.Argument(help="A table, such as stg_debit.")]) -> None:
    """Print the keys, checks, queries and modules that use each column of a table, and the features it reaches.

    Example: `sf columns stg_debit`
    """
    from sf_assets.catalogue.usage import reached, uses  # noqa: PLC0415
    from sf_assets.vocabulary.failures import UserError  # noqa: PLC0415

    found = {column: users for (name, column), users in uses().items() if name == table}
    if not found:
        raise UserError(f"table: expected one of {', '.join(sorted({name for name, _ in uses()}))}, found {table}")
    for column, users in found.items():
        features = reached((table, column))
        of_features = f"; {len(features)} features and columns of lists: {', '.join(features)}" if features else ""
        sys.stdout.write(f"{column}: {', '.join(users) or 'nothing'}{of_features}\n")


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command(rich_help_panel=UPKEEP)(columns)
