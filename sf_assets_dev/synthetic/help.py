"""The effect of help in the synthetic country: some of the failures of companies that were contacted do not happen.

It has a random stream of its own: without help, every other draw is the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from sf_assets.vocabulary.partitions import HORIZON_MONTHS
from sf_assets_dev.synthetic.timeline import NEVER, Flags, Ints, month_index


@dataclass(frozen=True, slots=True)
class Help:
    """Companies that officers contacted, by siren, with the month of the contact.

    `prevents` is the probability that a failure does not happen when it would come within the horizon after the contact.
    """

    prevents: float = 0.0
    contacted: Mapping[str, date] = field(default_factory=dict)


NO_HELP = Help()


def prevented(rng: np.random.Generator, failing: Flags, contacted: Flags, prevents: float) -> Flags:
    """Return which failures help prevents; each company has one draw, whether it fails or not."""
    drawn: Flags = rng.random(len(failing)) < prevents
    return failing & contacted & drawn


def helped(rng: np.random.Generator, opened: Ints, siren: pl.Series, help_given: Help) -> Ints:
    """Return the month in which each company fails, `NEVER` when help prevents it; `opened` is that month without help."""
    if not help_given.prevents or not help_given.contacted:
        return opened
    months = {name: month_index(month) for name, month in help_given.contacted.items()}
    contact = siren.replace_strict(months, default=NEVER, return_dtype=pl.Int64).to_numpy()
    within = (opened > contact) & (opened <= contact + HORIZON_MONTHS)
    return np.where(prevented(rng, within, contact < NEVER, help_given.prevents), NEVER, opened)
