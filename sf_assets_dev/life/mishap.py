"""One mishap of the scripted life, and what several of them do alike."""

import shutil
from dataclasses import dataclass
from datetime import date

from sf_assets_dev.faults.registry import FAULTS, FileFault
from sf_assets_dev.life.deployment import OperatedDeployment

DEBITS = "sigfaible_debits.csv"
CONTRIBUTIONS = "sigfaible_cotisdues.csv.gz"


@dataclass(frozen=True, slots=True)
class Mishap:
    """One mishap: what was `seen`, the `steps` that an operator took until green, what was `lost`, whether it is `green`."""

    name: str
    seen: str
    steps: tuple[str, ...]
    lost: str
    green: bool


def deliver_batch(deployment: OperatedDeployment, month: date, *, without: str = "") -> None:
    """Copy the files of a month into its folder, except one."""
    ready = deployment.folder / "ready" / f"{month:%y%m}"
    deployment.batch(month).mkdir(parents=True, exist_ok=True)
    for path in ready.iterdir():
        if path.is_file() and path.name != without:
            shutil.copy2(path, deployment.batch(month))


def file_fault(name: str) -> FileFault:
    """Return the fault of a file by its name in the catalogue."""
    fault = FAULTS[name]
    if not isinstance(fault, FileFault):
        raise TypeError(f"{name}: expected the fault of a file")
    return fault


def shortened(text: str) -> str:
    """Return a text without identifiers of runs, on one line."""
    words = ("…" if len(word) > 30 and "-" in word else word for word in text.split())  # noqa: PLR2004 - a run's identifier has 36
    return " ".join(words)[:300]
