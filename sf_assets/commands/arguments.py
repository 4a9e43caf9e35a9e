"""Arguments that several verbs share: the month, in one spelling everywhere, and the JSON output."""

from datetime import date
from typing import Annotated

import typer

from sf_assets.vocabulary.partitions import parse_month


def _month(text: str | date) -> date:
    if isinstance(text, date):  # The parser also receives defaults.
        return text
    try:
        return parse_month(f"{text}-01")
    except ValueError:
        raise typer.BadParameter(f"expected a month AAAA-MM, found {text!r}") from None


_HELP = "Month of the batch, AAAA-MM."

MonthArgument = Annotated[date, typer.Argument(parser=_month, metavar="AAAA-MM", help=_HELP)]
OptionalMonthArgument = Annotated[date | None, typer.Argument(parser=_month, metavar="AAAA-MM", help=_HELP)]
MonthOption = Annotated[date | None, typer.Option("--month", parser=_month, metavar="AAAA-MM", help=_HELP)]
UntilOption = Annotated[
    date | None, typer.Option("--until", parser=_month, metavar="AAAA-MM", help="Last month of a range of months.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one document, for scripts.")]
