"""Activity codes of the register: NAF rev. 2, then NAF 2025 for half of the active units, then for all of them."""

from datetime import date
from typing import Literal

import polars as pl

from sf_assets_dev.synthetic.activities import ACTIVITIES, SPLITS
from sf_assets_dev.synthetic.population import Companies
from sf_assets_dev.synthetic.timeline import Flags, Ints

Nomenclature = Literal["before", "during", "after"]
"""State of the switch in a stock of the register: no active unit is coded in NAF 2025 yet, half of them are, or all."""

_NAF = pl.Series(ACTIVITIES.naf)
_NAF25 = pl.Series(ACTIVITIES.naf25)
_SPLIT = pl.Series([SPLITS.get(naf, naf25) for naf, naf25 in zip(ACTIVITIES.naf, ACTIVITIES.naf25, strict=True)])


def nomenclature_of(month: date) -> Nomenclature:
    """Return how the register codes activities in the batch of a month: INSEE switches from 1 to 6 January 2027.

    >>> nomenclature_of(date(2026, 12, 1)), nomenclature_of(date(2027, 1, 1)), nomenclature_of(date(2027, 2, 1))
    ('before', 'during', 'after')
    """
    switch = date(2027, 1, 1)
    return "before" if month < switch else "during" if month == switch else "after"


def coded(
    companies: Companies, company: Ints, *, active: Flags, old: Flags, kind: str, nomenclature: Nomenclature
) -> list[pl.Series]:
    """Return the code of an activity, the nomenclature it is in and the second code, of units of `company`.

    `old` units have a code of 1993 until they are coded again; the switch codes all `active` units again and leaves closed
    ones unchanged. After the switch the second code is unknown, and its column is absent.
    """
    activity, number = companies.activity[company], companies.number[company]
    split = pl.Series(number % 3 == 1)
    second = pl.DataFrame({"s": split, "a": _SPLIT.gather(activity), "b": _NAF25.gather(activity)}).select(
        pl.when("s").then("a").otherwise("b")
    )
    switched = active & {"before": False, "during": number % 2 == 0, "after": True}[nomenclature]
    described = pl.DataFrame(
        {"old": pl.Series(old), "switched": switched, "naf": _NAF.gather(activity), "naf25": second.to_series()}
    )
    new, former = pl.when("switched"), pl.col("old")
    names = (pl.lit(name) for name in ("NAF2025", "NAF1993", "NAFRev2"))
    codes = (pl.col("naf25"), pl.lit("28.5D"), pl.col("naf"))
    code, name = (new.then(a).when(former).then(b).otherwise(c) for a, b, c in (codes, names))
    return described.select(
        code.alias(f"activitePrincipale{kind}"),
        name.alias(f"nomenclatureActivitePrincipale{kind}"),
        pl.col("naf25").alias(f"activitePrincipaleNAF25{kind}"),
    ).get_columns()


def without_second(rows: pl.DataFrame, nomenclature: Nomenclature) -> pl.DataFrame:
    """Return rows of the register without the column of the second code, once the producer has removed it."""
    removed = [name for name in rows.columns if "NAF25" in name and nomenclature == "after"]
    return rows.drop(removed)
