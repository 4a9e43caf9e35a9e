"""What several verbs share: the month, in one spelling everywhere, the JSON output, and the panels of the help."""

from datetime import date
from typing import Annotated

import typer

from sf_assets.vocabulary.partitions import parse_month


def parse_month_argument(text: str | date) -> date:
    """Return the first day of a month written YYYY-MM."""
    if isinstance(text, date):  # The parser also receives defaults.
        return text
    try:
        return parse_month(f"{text}-01")
    except ValueError:
        raise typer.BadParameter(f"expected a month YYYY-MM, found {text!r}") from None


_HELP = "Month of the batch, YYYY-MM."

MonthArgument = Annotated[date, typer.Argument(parser=parse_month_argument, metavar="YYYY-MM", help=_HELP)]
OptionalMonthArgument = Annotated[
    date | None, typer.Argument(parser=parse_month_argument, metavar="YYYY-MM", help=_HELP)
]
MonthOption = Annotated[
    date | None, typer.Option("--month", parser=parse_month_argument, metavar="YYYY-MM", help=_HELP)
]
UntilOption = Annotated[
    date | None,
    typer.Option("--until", parser=parse_month_argument, metavar="YYYY-MM", help="Last month of a range of months."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one document, for scripts.")]

# The panels of `sf --help`, in order.
MONTH, QUALITY, LISTS, UPKEEP, DEVELOPMENT = (
    "A month",
    "Quality: checks and refused records",
    "Scores and lists",
    "Upkeep",
    "Development, in a checkout only",
)
