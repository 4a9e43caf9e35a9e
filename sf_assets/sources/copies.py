"""Copies of one delivery in one folder: files whose names differ by numbers and by the marks of a copy alone.

Each states the whole again, last month's beside this month's: added up, every establishment would count twice.
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
    """Return what copies of one delivery have in common in their names.

    >>> family_of("Copie de effectif_siret_2609 (1).csv.gz") == family_of("effectif_siret-2026-10.csv")
    True
    """
    words = _BLANKS.sub(" ", Path(plain_name(name)).stem.lower())
    return " ".join(_MARKS.sub(" ", words).split())


def separate_copies(source: Source, paths: Sequence[Path], month: date) -> tuple[list[Path], list[Path], dict[Path, str]]:
    """Return the files of a source that count, the copies of them, and the reasons to refuse those that count for nothing else.

    The exact name counts, otherwise the only name that bears the month; without any, all are refused.
    """
    kept: list[Path] = []
    copies: list[Path] = []
    doubtful: dict[Path, str] = {}
    families: dict[str, list[Path]] = {}
    for path in paths:
        families.setdefault(family_of(path.name), []).append(path)
    for rivals in families.values():
        meant = _meant(source, rivals, month)
        kept += meant or rivals
        copies += [path for path in rivals if meant and path not in meant]
        if not meant:
            names = ", ".join(path.name for path in rivals)
            reason = (
                f"expected one file of {month:%Y-%m}, found {names}, whose names differ by numbers alone. Take the copies out "
                "of the folder, or write a description of the batch if they complete one another"
            )
            doubtful |= {path: f"{path.name}: {reason}" for path in rivals}
    return kept, copies, doubtful


def _meant(source: Source, rivals: Sequence[Path], month: date) -> list[Path]:
    if len(rivals) == 1:
        return [*rivals]
    exact = [path for path in rivals if source.names_exactly(plain_name(path.name))]
    dated = [path for path in rivals if _bears(path.name, month)]
    # Two that bear the same name, packed and not, are refused together by a check of their own.
    return exact or (dated if len({plain_name(path.name) for path in dated}) == 1 else [])


def _bears(name: str, month: date) -> bool:
    spellings = (f"{month:{form}}" for form in ("%y%m", "%Y%m", "%m%Y", "%Y[-_. ]%m", "%m[-_. ]%Y"))
    return re.search(rf"(?<![0-9])({'|'.join(spellings)})(?![0-9])", name) is not None


def is_copy_of_another(name: str, source: Source, others: Iterable[Source]) -> bool:
    """Tell whether a name that has the pattern of a source is that of a copy of another source's file."""
    family = family_of(name)
    return any(family == family_of(exact) for other in others if other is not source for exact in other.names)
