"""An asset run again with everything that follows it: after a corrected file, or after an acceptance.

The months before were computed from the newest batch that reaches back to them. When that is the batch that changed, their
features are run again too: models of the month learn from them.
"""

from collections.abc import Collection, Iterable
from datetime import date

from sf_assets.catalogue.tables import LAYERS, MONITORING, SUITES
from sf_assets.engine.quality.freshness import inputs_of, outdated
from sf_assets.engine.quality.verdicts import accepted_of, require_passed, verdicts_on
from sf_assets.engine.storage import Session
from sf_assets.sources.registry import BY_NAME
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.partitions import parse_month

_OF_A_MONTH = {*(name for names in LAYERS.values() for name in names), *MONITORING}


def rerun_command(month: date, *, starts: Iterable[str] = (), after: Iterable[str] = ()) -> str:
    """Return the command that runs assets and all that follows them for a month; of those of `after`, what follows alone.

    Records are corrected in files: a staging table is started at its source. Empty when the job of a month runs none of them.

    >>> rerun_command(date(2026, 10, 1), starts=["stg_debit", "src_debit"])
    'sf run monthly 2026-10 --from src_debit'
    >>> rerun_command(date(2026, 10, 1), after=["stg_debit"])
    'sf run monthly 2026-10 --after stg_debit'
    """
    options = [
        *(f"--from {_start_of(name)}" for name in starts if name in _OF_A_MONTH),
        *(f"--after {name}" for name in after if name in _OF_A_MONTH),
    ]
    return " ".join([f"sf run monthly {month:%Y-%m}", *dict.fromkeys(options)]) if options else ""


def once_corrected(asset: str, partition: str | None) -> str:
    """Return what a refused asset says at its end: the command for the month of `partition`; empty when there is none."""
    command = rerun_command(parse_month(partition), starts=[asset]) if partition else ""
    return f"Once corrected: {command}" if command else ""


def _start_of(asset: str) -> str:
    source = asset.removeprefix("stg_")
    return f"src_{source}" if source in BY_NAME else asset


def is_open(session: Session, names: Iterable[str], month: date) -> bool:
    """Return whether all of these assets passed their blocking checks for a month, as the gate of their readers asks."""
    try:
        require_passed(session, [(name, month) for name in names if name in SUITES.keys() - session.outside], SUITES)
    except Blocked:
        return False
    return True


def never_checked(session: Session, names: Collection[str], month: date) -> set[str]:
    """Return those of some assets of which no check ever ran for a month: what reads them would be refused."""
    checked = {asset for asset, _, _ in verdicts_on(session, [(name, month) for name in names])}
    return {name for name in names if name in SUITES and SUITES[name].checks} - checked


def stale_past(session: Session, month: date) -> tuple[set[str], list[date]]:
    """Return the features and the months before `month` to run again, because what they were computed from has changed."""
    names = LAYERS["features"]
    past = sorted({day for name in names for day in session.months(name) if day < month})
    inputs = inputs_of(session, [(name, day) for name in names for day in past])
    verdicts = verdicts_on(session, [*inputs])
    stale = outdated(inputs, verdicts, accepted_of(session, verdicts))
    again = [(name, day) for name, day in stale if name in names and day < month]
    return {name for name, _ in again}, sorted({day for _, day in again})


def reads_of_past(session: Session, month: date) -> bool:
    """Return whether features of earlier months were computed from the batch of `month`."""
    names = LAYERS["features"]
    past = [day for day in session.months(names[0]) if day < month]
    inputs = inputs_of(session, [(name, day) for name in names for day in past])
    return any(
        day == month for (name, of), sources in inputs.items() if name in names and of < month for _, day in sources
    )
