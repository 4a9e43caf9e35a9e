"""Headers that end with a year: a record holds the values of several years side by side."""

import re
from collections.abc import Iterable

_YEAR = re.compile(r"^(.+?) ([12][0-9]{3})$")


def years_of(header: Iterable[str]) -> range:
    """Return the years from the first to the last in the header; an empty range when it has none.

    >>> years_of(["Siren", "CA 2019", "CA 2017", "EBE 2017"])
    range(2017, 2020)
    """
    years = [int(match[2]) for name in header if (match := _YEAR.match(plain(name)))]
    return range(min(years), max(years) + 1) if years else range(0)


def of_year(header: Iterable[str], year: int) -> tuple[str, ...]:
    """Return the header for one year: names without that year, and an empty name for the columns of other years.

    >>> of_year(["Siren", "CA  2019", "CA 2018"], 2019)
    ('Siren', 'CA', '')
    """
    split = [(plain(name), _YEAR.match(plain(name))) for name in header]
    return tuple(name if not match else match[1] if int(match[2]) == year else "" for name, match in split)


def names_of(header: Iterable[str]) -> list[str]:
    """Return the names of a header without their years."""
    return [_YEAR.sub(r"\1", plain(name)) for name in header]


def plain(name: str) -> str:
    """Return a name with single blanks and straight apostrophes, since exports differ in both."""
    return " ".join(name.replace("’", "'").split())
