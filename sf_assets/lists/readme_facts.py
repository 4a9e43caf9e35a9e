"""The figures that the sheet « Lisez-moi » of a list states, read from the warehouse."""

from collections.abc import Iterable
from datetime import date

from sf_assets.engine.quality.acceptances import Acceptance
from sf_assets.engine.quality.freshness import last_writes
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.quality.verdicts import accepted_of, verdicts_on
from sf_assets.engine.storage import Session

_PRECISIONS = """
    select mesure, valeur from model_evaluation
    where methode = $methode and lecture = 'hors_procedure' and mesure in ('fort_precision', 'modere_precision')
"""


def measured_precisions(session: Session, method: str) -> tuple[float | None, float | None]:
    """Return the precision of strong alerts, then that of all alerts, of a method on its test months, as shares.

    A precision that could not be measured is None. `model_evaluation` is bound to the month in the session.
    """
    values = dict(session.connection.execute(_PRECISIONS, {"methode": method}).fetchall())
    return values.get("fort_precision"), values.get("modere_precision")


def acceptances_in_force(gate: Gate, session: Session, month: date, *, but: str) -> tuple[Acceptance, ...]:
    """Return the acceptances that hold for the month; those of the asset `but`, which is about to be written, end with it.

    An acceptance whose rows were written again since does not hold any more and is left out.
    """
    checked = [(asset, month) for asset in gate.suites if asset != but]
    verdicts = verdicts_on(session, checked)
    written = last_writes(session, gate.suites, sorted({(asset, month) for asset, _, _ in verdicts}))
    return tuple(
        acceptance
        for (asset, _, _), acceptance in sorted(accepted_of(session, verdicts).items())
        if acceptance.snapshot == written.get((asset, month))
    )


def accepted_checks(acceptances: Iterable[Acceptance]) -> tuple[str, ...]:
    """Return one French line per acceptance: asset, check, reason."""
    return tuple(f"{one.asset}, {one.check_name} : {one.reason}" for one in acceptances)
