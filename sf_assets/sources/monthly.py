"""Headers of head-count files, which have one column per month: `eff` and the six digits of a period."""

import re
from collections.abc import Iterable, Sequence

_MONTH = re.compile(r"eff(?!0000)[0-9]{4}(?:[1-4][0-3]|62)")


def months_of(header: Sequence[str]) -> dict[int, str]:
    """Return the places, from 1, and the names of the columns of months.

    >>> months_of(["siret", "eff202412", "effectif_moyen", "EFF202411", "eff202413"])
    {2: 'eff202412', 5: 'eff202413'}
    """
    return {place: name for place, name in enumerate(header, start=1) if _MONTH.fullmatch(name)}


def odd_months_of(header: Iterable[str]) -> list[str]:
    """Return the names that look like months and are not: their head-counts could be assigned to no month.

    >>> odd_months_of(["eff202412", "eff2024", "eff202459", "effectif_2024"])
    ['eff2024', 'eff202459']
    """
    return [name for name in header if name[:3] == "eff" and name[3:].isdigit() and not _MONTH.fullmatch(name)]
