"""Publication delays: months or days between an event and the day its value is published.

The rules of `sources/known.py` use these figures. A feature of a month uses a value only if the day that these rules give
is not after the month's cut-off.
"""

from collections.abc import Mapping

DELAYS: dict[str, int] = {
    # the 15th (14 days after the first) of the month after the month of `periode_fin`
    "cotisation_months": 1,
    "cotisation_days": 14,
    "effectif_months": 3,
    "apconso_months": 2,
    "procol_days": 30,
    "paydex_months": 1,
    "comptes_months": 7,
    "bilans_months": 8,
    # INSEE publishes the bands of a year in the spring of the second year after it
    "tranche_months": 15,
}
_LONGEST = 366


def delays_with(changes: Mapping[str, object]) -> dict[str, int]:
    """Return all delays, with those of `changes` in place of the defaults.

    Raises:
        ValueError: a name is unknown, or a value is not a whole number from 0 to 366.

    >>> delays_with({"procol_days": 15})["procol_days"]
    15

    """
    if unknown := sorted(set(changes) - set(DELAYS)):
        raise ValueError(f"expected delays among {', '.join(DELAYS)}, found {', '.join(unknown)}")
    # A negative delay would let features use values before their publication.
    wrong = [
        f"{name} {value!r}" for name, value in changes.items() if type(value) is not int or not 0 <= value <= _LONGEST
    ]
    if wrong:
        raise ValueError(f"expected whole numbers of months or days from 0 to {_LONGEST}, found {', '.join(wrong)}")
    return DELAYS | {name: value for name, value in changes.items() if isinstance(value, int)}
