"""The champion: the method that lists use, until somebody decides otherwise.

A decision is that of an evaluation (`eval_champion`), which found another method better beyond noise, or of an operator,
who gives a reason (`method_decisions`). Without one a list keeps the method of the list before it: figures on the
validation months move with every month, and a method that changed with them would turn the list over for nothing.
"""

from dataclasses import dataclass
from datetime import date

from sf_assets.engine.storage import Session
from sf_assets.model.tables import FITTED, METHODE
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.schema import Column, Table, no_rows

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


DECISIONS = Table(
    name="method_decisions",
    grain="the method that an operator chose for the lists of the month and of later ones",
    columns=(
        METHODE,
        Column("reason", "VARCHAR", "why, in French: it is on the list"),
        Column("decided_by", "VARCHAR", "name of who answers for it"),
        Column("decided_at", "TIMESTAMP", "when, UTC"),
    ),
    may_be_empty=True,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A method for the list, and why it is this one, in French."""

    method: str
    reason: str | None


def last_decision_month(session: Session, month: date) -> date | None:
    """Return the month of the newest decision of an evaluation made before `month`; None before the first one.

    A decision holds from the month after: the list it was made beside keeps its method when it is made again.
    """
    return max((made for made in session.months(CHAMPION.name) if made < month), default=None)


def preferred_choices(session: Session, month: date) -> tuple[Choice, ...]:
    """Return the methods that the list of a month may use, the first that can be used first; none before any list.

    The last decision comes first, that of an operator before that of an evaluation for the same month, then the method
    of the newest list up to this one that had a model to choose among: the month itself when it is made again.
    """
    decided = [choice for choice in (_by_operator(session, month), _by_evaluation(session, month)) if choice]
    decided.sort(key=lambda found: found[0], reverse=True)
    kept = _kept(session, month)
    return (*(choice for _, choice in decided[:1]), *([kept] if kept else []))


def _by_operator(session: Session, month: date) -> tuple[date, Choice] | None:
    session.bind({DECISIONS: None})
    row = session.connection.execute(
        "select month, methode, reason from method_decisions where month <= $month order by month desc limit 1",
        {"month": month},
    ).fetchone()
    return (row[0], Choice(row[1], f"choisie à partir de {row[0]:%m/%Y} : {row[2]}")) if row else None


def _by_evaluation(session: Session, month: date) -> tuple[date, Choice] | None:
    made = last_decision_month(session, month)
    if made is None:
        return None
    session.bind({CHAMPION: made})
    (name,) = session.connection.execute("select any_value(champion) from eval_champion").fetchall()[0]
    return add_months(made, 1), Choice(name, f"retenue par l'évaluation de {made:%m/%Y}")


def _kept(session: Session, month: date) -> Choice | None:
    """Return the method of the newest month, up to `month`, whose list had more to choose from than a lack of history."""
    session.bind({FITTED: None})
    row = session.connection.execute(
        "select month, methode, choice from model_fitted "
        "where retained and statement is null and month <= $month order by month desc limit 1",
        {"month": month},
    ).fetchone()
    if row is None:
        return None
    made, name, why = row
    return Choice(
        name, why if made == month else f"la même que pour la liste de {made:%m/%Y}, sans autre décision depuis"
    )
