"""The application `sf`: its verbs, what they share, and their exit codes.

A verb imports what it runs when it runs, so that `sf --help` and shell completion stay fast.
"""

import importlib
import importlib.util
import sys

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

app = typer.Typer(
    name="sf",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Signaux Faibles: from the partners' monthly files to a scored, explained list of companies at risk.",
    epilog="Exit codes: 0 done; 1 refused, blocked or failed, with the reason on standard error; 2 wrong arguments. "
    "Settings are `SF_*` variables of the environment or of the file `.env`.",
)
for verbs in (
    runs,
    status,
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
    fetching,
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
