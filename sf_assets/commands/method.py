"""`sf method`: the method that makes the lists."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from sf_assets.commands.arguments import LISTS, MonthArgument

method = typer.Typer(no_args_is_help=True, help="The method that makes the lists: choose it, or list the choices.")


@method.command()
def choose(
    month: MonthArgument,
    name: Annotated[
        str, typer.Argument(help="`seuils`, `logistique`, `deux_etages`, `foret`, `boosting` or `ensemble`.")
    ],
    reason: Annotated[str, typer.Option(help="Reason, in French: the list prints it.")],
    by: Annotated[str, typer.Option(help="Name of the person who takes the decision.")],
) -> None:
    """Choose the method of the list of a month and of later ones.

    A list keeps the method of the list before it until an evaluation or this verb changes it.

    Example: `sf method choose 2026-10 foret --reason "Plus stable" --by "A. Martin"`
    """
    from sf_assets.operations import method as decisions  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    with warehouse_of(Settings.from_environment()).session() as session:
        decisions.choose(session, month, name, reason=reason, decided_by=by, decided_at=datetime.now(UTC))
        sys.stdout.writelines(f"{line}\n" for line in decisions.lines(session))
    sys.stdout.write(f"It applies when the list is made again: sf run score {month:%Y-%m}\n")


@method.command("list")
def list_choices() -> None:
    """List the choices of operators.

    Example: `sf method list`
    """
    from sf_assets.operations import method as decisions  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    with warehouse_of(Settings.from_environment()).session() as session:
        lines = list(decisions.lines(session)) or ["no choice: a list keeps the method of the one before it"]
        sys.stdout.writelines(f"{line}\n" for line in lines)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.add_typer(method, name="method", rich_help_panel=LISTS)
