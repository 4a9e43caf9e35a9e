"""`python -m sf_assets_dev.faults`: list the faults, put one into a batch, or play them all and print what caught them."""

import argparse
import sys
import tempfile
from datetime import date
from pathlib import Path

from sf_assets.catalogue.tables import SUITES
from sf_assets.settings import Settings
from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.faults.injection import spoil_file
from sf_assets_dev.faults.registry import FAULTS, Fault, FileFault
from sf_assets_dev.faults.trial import Deployment, Trial, try_fault
from sf_assets_dev.synthetic import write_batch

_MONTH = date(2025, 9, 1)


def main() -> int:
    """Do what the command line asks; return 0 unless a fault went through."""
    parser = argparse.ArgumentParser(prog="python -m sf_assets_dev.faults", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what goes wrong, where it is caught, what to do")
    inject = commands.add_parser("inject", help="put the fault of a file into a batch")
    inject.add_argument("name", choices=sorted(name for name, fault in FAULTS.items() if isinstance(fault, FileFault)))
    inject.add_argument("--month", required=True, type=_month, help="month of the batch, AAAA-MM")
    inject.add_argument("--incoming", type=Path, help="folder of batches, that of the settings by default")
    run = commands.add_parser("run", help="play faults on a small synthetic world of their own")
    run.add_argument("names", nargs="*", metavar="name", help="faults to play, all by default")
    asked = parser.parse_args()
    if asked.command == "list":
        return _list()
    if asked.command == "inject":
        return _inject(FAULTS[asked.name], asked.incoming, asked.month)
    if unknown := sorted(set(asked.names) - set(FAULTS)):
        parser.error(f"expected faults of the list, found {', '.join(unknown)}")
    return _run([FAULTS[name] for name in asked.names or FAULTS])


def _month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


def _say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _list() -> int:
    for fault in FAULTS.values():
        (check,) = (check for check in SUITES[fault.asset].checks if check.name == fault.check)
        touched = fault.file if isinstance(fault, FileFault) else fault.asset
        _say(f"{fault.name}: {fault.does} ({touched})")
        _say(f"    {fault.asset} {fault.check}, {check.severity}: {check.advice}")
    return 0


def _inject(fault: Fault, incoming: Path | None, month: date) -> int:
    if not isinstance(fault, FileFault):
        raise TypeError(f"{fault.name}: expected the fault of a file, found one of a table")
    folder = incoming or Settings.from_environment().data_dir / "incoming"
    _say(f"{spoil_file(fault, folder, month)}: {fault.does}. {fault.asset} {fault.check} must refuse it.")
    return 0


def _run(faults: list[Fault]) -> int:
    with tempfile.TemporaryDirectory(prefix="sf_faults_") as folder:
        deployment = Deployment(
            Settings.from_environment().model_copy(update={"data_dir": Path(folder), "catalog": ""})
        )
        _prepare(deployment, derived=any(not isinstance(fault, FileFault) for fault in faults))
        _say(f"{'fault':<34}{'caught by':<52}{'caught':<8}{'stopped':<9}{'others':<8}cleared")
        trials = [_played(try_fault(deployment, fault, _MONTH)) for fault in faults]
    held = sum(trial.held for trial in trials)
    _say(f"\n{held} of {len(trials)} faults caught, stopped and cleared")
    return 0 if held == len(trials) else 1


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


if __name__ == "__main__":
    sys.exit(main())
