"""How long after its event a value becomes known, in months or days: the figures of the rules in `known.py`.

A feature of a month may use a value only if the day that these rules give is not after the month's cut-off.
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
}
_LONGEST = 366


def delays_with(changes: Mapping[str, object]) -> dict[str, int]:
    """Return the delays with the changes of a deployment; raise `ValueError` for an unknown one or one that is no delay.

    >>> delays_with({"procol_days": 15})["procol_days"]
    15
    """
    if unknown := sorted(set(changes) - set(DELAYS)):
        raise ValueError(f"expected delays among {', '.join(DELAYS)}, found {', '.join(unknown)}")
    # A value known before its day would let features look into the future.
    wrong = [
        f"{name} {value!r}" for name, value in changes.items() if type(value) is not int or not 0 <= value <= _LONGEST
    ]
    if wrong:
        raise ValueError(f"expected whole numbers of months or days from 0 to {_LONGEST}, found {', '.join(wrong)}")
    return DELAYS | {name: value for name, value in changes.items() if isinstance(value, int)}
