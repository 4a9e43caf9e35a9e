"""The faults listed, put into a batch, or all played, with what caught each."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from sf_assets.catalogue.tables import SUITES
from sf_assets.settings import Settings
from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.faults.injection import spoil_file
from sf_assets_dev.faults.registry import FAULTS, FileFault
from sf_assets_dev.faults.trial import Deployment, Trial, try_fault
from sf_assets_dev.synthetic import write_batch

_MONTH = date(2025, 9, 1)


def described() -> Iterator[str]:
    """Yield two lines per fault: what happens, then which check catches it and what to do."""
    for fault in FAULTS.values():
        (check,) = (check for check in SUITES[fault.asset].checks if check.name == fault.check)
        touched = fault.file if isinstance(fault, FileFault) else fault.asset
        yield f"{fault.name}: {fault.does} ({touched})"
        yield f"    {fault.asset} {fault.check}, {check.severity}: {check.advice}"


def inject_fault(name: str, incoming: Path, month: date) -> str:
    """Put the fault of a file into the batch of a month; return what was done, in a sentence.

    Raises:
        UserError: there is no such fault of a file.

    """
    fault = FAULTS.get(name)
    if not isinstance(fault, FileFault):
        known = sorted(name for name, fault in FAULTS.items() if isinstance(fault, FileFault))
        raise UserError(f"fault: expected one of {', '.join(known)}, found {name}")
    return f"{spoil_file(fault, incoming, month)}: {fault.does}. {fault.asset} {fault.check} must refuse it."


def play(names: Sequence[str]) -> bool:
    """Play these faults, or all of them, on a small synthetic world of their own, and print what caught each.

    Return whether all were caught, stopped and cleared.
    """
    if unknown := sorted(set(names) - set(FAULTS)):
        raise UserError(f"fault: expected faults of the list, found {', '.join(unknown)}")
    faults = [FAULTS[name] for name in names or FAULTS]
    with tempfile.TemporaryDirectory(prefix="sf_faults_") as folder:
        deployment = Deployment(
            Settings.from_environment().model_copy(update={"data_dir": Path(folder), "catalog": ""})
        )
        _prepare(deployment, derived=any(not isinstance(fault, FileFault) for fault in faults))
        _say(f"{'fault':<34}{'caught by':<52}{'caught':<8}{'stopped':<9}{'others':<8}cleared")
        # Those of tables first: a file that was spoilt and put back leaves what follows its table to be run again.
        faults.sort(key=lambda fault: isinstance(fault, FileFault))
        trials = [_played(try_fault(deployment, fault, _MONTH)) for fault in faults]
    held = sum(trial.held for trial in trials)
    _say(f"\n{held} of {len(trials)} faults caught, stopped and cleared")
    return held == len(trials)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _prepare(deployment: Deployment, *, derived: bool) -> None:
    """Deliver and run two sound months: faults fall on the second, the first is what it is compared with."""
    for month in (add_months(_MONTH, -1), _MONTH):
        write_batch(deployment.incoming / batch_key(month), month=month, companies=1500, years=3, seed=3)
        for job in ("batch", "score") if derived else ("batch",):
            if not deployment.run(job, month).success:
                raise SystemExit(f"{job} of {month:%Y-%m}: expected a sound month, found a failure")


def _played(trial: Trial) -> Trial:
    fault = trial.fault
    seen = [trial.caught, trial.stopped, trial.went_on, trial.cleared]
    marks = "".join(f"{'yes' if one else 'NO':<{width}}" for one, width in zip(seen, (8, 9, 8, 0), strict=True))
    _say(f"{fault.name:<34}{f'{fault.asset} {fault.check}':<52}{marks}")
    if not trial.held:
        _say(f"    {trial.told or 'the gate said nothing of it'}")
    return trial
