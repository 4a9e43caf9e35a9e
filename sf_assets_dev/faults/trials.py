"""Functions behind `sf faults`: list the faults, inject one into a batch, play them."""

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
from sf_assets_dev.deployment import Deployment
from sf_assets_dev.faults.injection import spoil_file
from sf_assets_dev.faults.registry import FAULTS, FileFault
from sf_assets_dev.faults.trial import Trial, play_fault
from sf_assets_dev.synthetic import write_batch

_MONTH = date(2025, 9, 1)


def described() -> Iterator[str]:
    """Yield two lines per fault: its description, then the check that catches it with its advice."""
    for fault in FAULTS.values():
        (check,) = (check for check in SUITES[fault.asset].checks if check.name == fault.check)
        touched = fault.file if isinstance(fault, FileFault) else fault.asset
        yield f"{fault.name}: {fault.description} ({touched})"
        yield f"    {fault.asset} {fault.check}, {check.severity}: {check.advice}"


def inject_fault(name: str, incoming: Path, month: date) -> str:
    """Inject the fault of a file into the batch of a month; return a sentence that says what was done.

    Raises:
        UserError: no fault of a file has this name.

    """
    fault = FAULTS.get(name)
    if not isinstance(fault, FileFault):
        known = sorted(name for name, fault in FAULTS.items() if isinstance(fault, FileFault))
        raise UserError(f"fault: expected one of {', '.join(known)}, found {name}")
    return f"{spoil_file(fault, incoming, month)}: {fault.description}. {fault.asset} {fault.check} must fail."


def play(names: Sequence[str]) -> bool:
    """Play the named faults, or all of them, on a small synthetic warehouse, and print one line per fault.

    Return whether all were caught, stopped and cleared.

    Raises:
        UserError: a name is not a fault of the catalogue.

    """
    if unknown := sorted(set(names) - set(FAULTS)):
        raise UserError(f"fault: expected faults of the list, found {', '.join(unknown)}")
    faults = [FAULTS[name] for name in names or FAULTS]
    with tempfile.TemporaryDirectory(prefix="sf_faults_") as folder:
        deployment = Deployment(
            Settings.from_environment().model_copy(update={"data_dir": Path(folder), "catalog": ""})
        )
        _prepare(deployment, derived=any(not isinstance(fault, FileFault) for fault in faults))
        _print(f"{'fault':<34}{'caught by':<52}{'caught':<8}{'stopped':<9}{'others':<8}cleared")
        # Faults of tables first: once a file was changed and restored, tables after its own must be computed again.
        faults.sort(key=lambda fault: isinstance(fault, FileFault))
        trials = [_played(play_fault(deployment, fault, _MONTH)) for fault in faults]
    succeeded = sum(trial.succeeded for trial in trials)
    _print(f"\n{succeeded} of {len(trials)} faults caught, stopped and cleared")
    return succeeded == len(trials)


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _prepare(deployment: Deployment, *, derived: bool) -> None:
    """Deliver and run two good months: faults are played on the second, tolerances compare it with the first."""
    for month in (add_months(_MONTH, -1), _MONTH):
        write_batch(deployment.incoming / batch_key(month), month=month, companies=1500, years=3, seed=3)
        for job in ("batch", "score") if derived else ("batch",):
            if not deployment.run(job, month).success:
                raise SystemExit(f"{job} of {month:%Y-%m}: expected a successful run, found a failure")


def _played(trial: Trial) -> Trial:
    fault = trial.fault
    results = [trial.caught, trial.stopped, trial.others_ran, trial.cleared]
    marks = "".join(
        f"{'yes' if result else 'NO':<{width}}" for result, width in zip(results, (8, 9, 8, 0), strict=True)
    )
    _print(f"{fault.name:<34}{f'{fault.asset} {fault.check}':<52}{marks}")
    if not trial.succeeded:
        _print(f"    {trial.gate_message or 'the gate does not mention it'}")
    return trial
