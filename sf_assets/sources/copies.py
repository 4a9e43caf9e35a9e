"""Copies in one folder: files whose names differ only by numbers and by words such as `copie` or `old`.

Each holds the whole delivery again, for instance last month's beside this month's. Read together, every establishment would
count twice.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from sf_assets.engine.storage.packed import plain_name
from sf_assets.sources.description import Source

_BLANKS = re.compile(r"[-_. ]+")
_MARKS = re.compile(r"\b(copie|copy|old|ancien|ancienne|de|of|sauvegarde|backup)\b|[()]|[0-9]+")


def family_of(name: str) -> str:
    """Return the part of a file name that copies of one delivery share.

    >>> family_of("Copie de effectif_siret_2609 (1).csv.gz") == family_of("effectif_siret-2026-10.csv")
    True
    """
    words = _BLANKS.sub(" ", Path(plain_name(name)).stem.lower())
    return " ".join(_MARKS.sub(" ", words).split())


def separate_copies(
    source: Source, paths: Sequence[Path], month: date
) -> tuple[list[Path], list[Path], dict[Path, str]]:
    """Return the files of a source to read, their copies to leave out, and the reasons for refusal of ambiguous files.

    Among copies, the file of the exact name is read, otherwise the only one whose name contains the month. When neither
    exists, all of them are refused, and are among the files to read so that the refusal is reported.
    """
    retained: list[Path] = []
    copies: list[Path] = []
    doubtful: dict[Path, str] = {}
    families: dict[str, list[Path]] = {}
    for path in paths:
        families.setdefault(family_of(path.name), []).append(path)
    for rivals in families.values():
        chosen = _choose(source, rivals, month)
        retained += chosen or rivals
        copies += [path for path in rivals if chosen and path not in chosen]
        if not chosen:
            names = ", ".join(path.name for path in rivals)
            reason = (
                f"expected one file of {month:%Y-%m}, found {names}, whose names differ by numbers alone. Take the copies out "
                "of the folder, or write a description of the batch if they complete one another"
            )
            doubtful |= {path: f"{path.name}: {reason}" for path in rivals}
    return retained, copies, doubtful


def _choose(source: Source, rivals: Sequence[Path], month: date) -> list[Path]:
    if len(rivals) == 1:
        return [*rivals]
    exact = [path for path in rivals if source.names_exactly(plain_name(path.name))]
    dated = [path for path in rivals if _contains_month(path.name, month)]
    # The same name packed and not packed is refused by the check `delivered_once`.
    return exact or (dated if len({plain_name(path.name) for path in dated}) == 1 else [])


def _contains_month(name: str, month: date) -> bool:
    spellings = (f"{month:{form}}" for form in ("%y%m", "%Y%m", "%m%Y", "%Y[-_. ]%m", "%m[-_. ]%Y"))
    return re.search(rf"(?<![0-9])({'|'.join(spellings)})(?![0-9])", name) is not None


def is_copy_of_another(name: str, source: Source, others: Iterable[Source]) -> bool:
    """Tell whether a name that matches the pattern of `source` is a copy of a file that another source names exactly."""
    family = family_of(name)
    return any(family == family_of(exact) for other in others if other is not source for exact in other.names)
