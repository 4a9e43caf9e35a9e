"""How far back a batch reaches: the first month of which its clean tables tell who was followed."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from sf_assets.vocabulary.modes import FULL, OPEN, Mode
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import add_months

# The table of each mode that decides who is followed, and the column of its oldest value.
REACH: Mapping[Mode, tuple[str, str]] = MappingProxyType(
    {FULL: ("clean_effectif_ent", "periode"), OPEN: ("clean_tranche", "connue_le")}
)


def first_month(oldest: date, batch: date, parameters: Parameters) -> date:
    """Return the first month with features: the first within the perimeter's window at which `oldest` was known.

    `oldest` is the smallest value of the column of `REACH`: the month of a head-count, or the day a band is known from.
    """
    delay = parameters.all_delays["effectif_months"] if parameters.mode == FULL else 0
    return max(add_months(oldest.replace(day=1), delay), add_months(batch, 1 - parameters.perimeter_months))
