"""Selection of the method that a month's list uses.

Two decisions change it: an evaluation finds another method better beyond noise (`eval_champion`), or an operator chooses
one, with a reason (`method_decisions`). Without a decision a list uses the method of the list before it: figures on the
validation months vary by noise every month, and a method that followed them would replace many companies on the list
without being better.
"""

from dataclasses import dataclass
from datetime import date

from sf_assets.engine.storage import Session
from sf_assets.model.tables import FITTED, METHODE
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.schema import Column, Table, no_rows

CHAMPION = Table(
    name="eval_champion",
    grain="one method compared with the champion in the backtest of the month",
    columns=(
        Column("tenant", "VARCHAR", "the champion before the decision"),
        Column("candidat", "VARCHAR", METHODE.meaning),
        Column("ap_tenant", "DOUBLE", "average precision of the champion over all origins"),
        Column("ap_candidat", "DOUBLE", "average precision of the challenger on the same rows"),
        Column("difference", "DOUBLE", "average precision of the challenger less that of the champion"),
        Column("bas", "DOUBLE", "low end of the 95 % interval of the difference, by a bootstrap of companies"),
        Column("haut", "DOUBLE", "high end of the interval"),
        Column("remplace", "BOOLEAN", "the challenger becomes the champion"),
        Column("champion", "VARCHAR", "the champion after the decision, for the lists of later months"),
        Column("decision", "VARCHAR", "the decision, as a sentence"),
    ),
    key=("candidat",),
    rules=(
        no_rows(
            "one_champion",
            "select count(distinct champion) as n from {batch} having count(distinct champion) > 1",
            "Expected the same champion on every row: materialise eval_champion again.",
        ),
        no_rows(
            "replaced_beyond_noise",
            "select candidat from {batch} where remplace and not coalesce(bas > 0 and isfinite(bas), false)",
            "A method within noise of the champion must not replace it: check the intervals.",
        ),
    ),
    # Without an origin there is nothing to compare.
    may_be_empty=True,
)


DECISIONS = Table(
    name="method_decisions",
    grain="the method that an operator chose for the lists of the month and of later ones",
    columns=(
        METHODE,
        Column("reason", "VARCHAR", "reason of the choice, in French, which the list shows"),
        Column("decided_by", "VARCHAR", "name of the person who decided"),
        Column("decided_at", "TIMESTAMP", "time of the decision, UTC"),
    ),
    may_be_empty=True,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A method for the list, and the reason of the choice, in French."""

    method: str
    reason: str | None


def last_decision_month(session: Session, month: date) -> date | None:
    """Return the month of the last evaluation before `month`, None without one.

    The decision of an evaluation holds from the month after: the list of its own month keeps its method when it is computed
    again.
    """
    return max((evaluated for evaluated in session.months(CHAMPION.name) if evaluated < month), default=None)


def preferred_choices(session: Session, month: date) -> tuple[Choice, ...]:
    """Return the methods preferred for the list of a month, in descending order of preference; none before the first list.

    The last decision comes first, then the method of the newest list, up to this month, that was not made for lack of
    history. An operator's decision precedes an evaluation's for the same month. When the list of the month is computed again,
    the newest list is the month's own.
    """
    decided = [choice for choice in (_by_operator(session, month), _by_evaluation(session, month)) if choice]
    decided.sort(key=lambda decision: decision[0], reverse=True)
    previous = _previous_choice(session, month)
    return (*(choice for _, choice in decided[:1]), *([previous] if previous else []))


def _by_operator(session: Session, month: date) -> tuple[date, Choice] | None:
    session.bind({DECISIONS: None})
    row = session.connection.execute(
        "select month, methode, reason from method_decisions where month <= $month order by month desc limit 1",
        {"month": month},
    ).fetchone()
    return (row[0], Choice(row[1], f"choisie à partir de {row[0]:%m/%Y} : {row[2]}")) if row else None


def _by_evaluation(session: Session, month: date) -> tuple[date, Choice] | None:
    decided = last_decision_month(session, month)
    if decided is None:
        return None
    session.bind({CHAMPION: decided})
    (name,) = session.connection.execute("select any_value(champion) from eval_champion").fetchall()[0]
    return add_months(decided, 1), Choice(name, f"retenue par l'évaluation de {decided:%m/%Y}")


def _previous_choice(session: Session, month: date) -> Choice | None:
    """Return the method of the newest list, up to `month`, that was not made for lack of history."""
    session.bind({FITTED: None})
    row = session.connection.execute(
        "select month, methode, choice from model_fitted "
        "where retained and statement is null and month <= $month order by month desc limit 1",
        {"month": month},
    ).fetchone()
    if row is None:
        return None
    listed, name, reason = row
    return Choice(
        name, reason if listed == month else f"la même que pour la liste de {listed:%m/%Y}, sans autre décision depuis"
    )
