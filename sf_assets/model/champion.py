"""The champion: the method that lists use, until a later evaluation finds another one better beyond noise.

The decision is made by the evaluation (`eval_champion`); it is declared here because learning reads it.
"""

from datetime import date

from sf_assets.model.tables import METHODE
from sf_assets.schema import Column, Table, no_rows
from sf_assets.storage import Session

CHAMPION = Table(
    name="eval_champion",
    grain="one method that challenged the champion in the backtest of the month",
    columns=(
        Column("tenant", "VARCHAR", "the champion before the decision"),
        Column("candidat", "VARCHAR", METHODE.meaning),
        Column("ap_tenant", "DOUBLE", "average precision of the champion over all origins"),
        Column("ap_candidat", "DOUBLE", "average precision of the challenger on the same rows"),
        Column("difference", "DOUBLE", "average precision of the challenger less that of the champion"),
        Column("bas", "DOUBLE", "low end of the 95 % interval of the difference, companies drawn for both at once"),
        Column("haut", "DOUBLE", "high end of the interval"),
        Column("remplace", "BOOLEAN", "the challenger becomes the champion"),
        Column("champion", "VARCHAR", "the champion after the decision, for the lists of later months"),
        Column("decision", "VARCHAR", "the decision in words"),
    ),
    key=("candidat",),
    rules=(
        no_rows(
            "one_champion",
            "select count(distinct champion) as n from {batch} having count(distinct champion) > 1",
            "The decision names one champion: materialise eval_champion again.",
        ),
        no_rows(
            "replaced_beyond_noise",
            "select candidat from {batch} where remplace and not coalesce(bas > 0 and isfinite(bas), false)",
            "A method within noise of the champion must not replace it: look at the intervals.",
        ),
    ),
    # Without an origin nothing is compared.
    may_be_empty=True,
)


def champion_in_force(session: Session, month: date) -> str | None:
    """Return the champion of the newest decision made before `month`; None before the first one.

    A decision holds from the month after: the list it was made beside keeps its method when it is made again.
    """
    decided = [made for made in session.months(CHAMPION.name) if made < month]
    if not decided:
        return None
    row = session.connection.execute(
        "select any_value(champion) from lake.eval_champion where month = $month", {"month": decided[-1]}
    ).fetchone()
    return str(row[0]) if row and row[0] else None
