"""The application `sf`: its verbs, what they share, and their exit codes.

A verb imports what it runs when it runs, so that `sf --help` and shell completion stay fast.
"""

import importlib
import importlib.util
import sys
from typing import Annotated

import typer

from sf_assets.commands import (
    acceptances,
    answers,
    columns,
    evaluation,
    explanation,
    fetching,
    maintenance,
    method,
    moving,
    publication,
    quarantine,
    retention,
    runs,
    status,
)
from sf_assets.vocabulary.failures import PermanentFailure, UserError
from sf_assets.vocabulary.version import VERSION

app = typer.Typer(
    name="sf",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Signaux Faibles: from the partners' monthly files to a scored, explained list of companies at risk.",
    epilog="Exit codes: 0 done; 1 refused, blocked or failed, with the reason on standard error; 2 wrong arguments. "
    "Settings are `SF_*` variables of the environment or of the file `.env`.",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - called by typer with the value of the option
    if wanted:
        sys.stdout.write(f"sf_assets {VERSION}\n")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of `sf` itself."""


# In the order of the panels of the help.
for verbs in (
    runs,
    status,
    fetching,
    acceptances,
    quarantine,
    explanation,
    method,
    evaluation,
    publication,
    answers,
    maintenance,
    moving,
    retention,
    columns,
):
    verbs.register(app)

# Synthetic companies, faults, benchmark and demonstration come with a checkout, not with the wheel.
if importlib.util.find_spec("sf_assets_dev") is not None:
    importlib.import_module("sf_assets_dev.commands").register(app)


def main() -> None:
    """Run `sf`. An error that its user can correct is a message; any other keeps its traceback."""
    try:
        app()
    except (UserError, PermanentFailure) as error:
        sys.stderr.write(f"{getattr(error, 'description', None) or error}\n")
        raise SystemExit(1) from None
