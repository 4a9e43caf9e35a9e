"""`sf explain`: the explanation of one company's score."""

import sys
from typing import Annotated

import typer

from sf_assets.commands.arguments import LISTS, MonthArgument


def explain(month: MonthArgument, siren: Annotated[str, typer.Argument(help="Nine digits.")]) -> None:
    """Write a page in French that explains one company's score, and print its path.

    The page names the company: only people who may see its list may read it.

    Example: `sf explain 2026-10 123456782`
    """
    from sf_assets.operations.explain import write_page  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    settings = Settings.from_environment()
    folders = settings.folders
    with warehouse_of(settings).session() as session, folders.explanations.writing(month) as into:
        path = write_page(
            session,
            month,
            siren,
            models=folders.models,
            into=into,
            shift=settings.cutoff_shift_days,
            mode=settings.mode,
        )
    sys.stdout.write(f"{path}\n")


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command(rich_help_panel=LISTS)(explain)
