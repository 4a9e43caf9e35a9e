"""INSEE's staff bands: that of a legal unit in the register, and those that earlier stocks published."""

import numpy as np
import numpy.typing as npt
import polars as pl

from sf_assets_dev.synthetic.timeline import YEARS, Flags, Ints, Window
from sf_assets_dev.synthetic.world import Block, World

NAME = "tranches_unites_legales.csv"
# The least number of people in each band.
_LEAST = np.array([0, 1, 3, 6, 10, 20, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10000])
_CODES = np.array(["00", "01", "02", "03", "11", "12", "21", "22", "31", "32", "41", "42", "51", "52", "53"])
_DECEMBER = 11
PUBLISHED_AFTER = 15
"""Months between the end of a year and the first stock with its bands."""
_YEARS_BEFORE = 5


def _of_year(world: World, year: int) -> tuple[npt.NDArray[np.str_], Flags]:
    """Return the code of each company's band in December of a year, and whether it employed during that year."""
    december = int(np.flatnonzero(year == YEARS)[0]) + _DECEMBER
    employed: Flags = np.any(world.alive[:, december - _DECEMBER : december + 1], axis=1)
    staff: Ints = np.where(world.alive[:, december], world.headcount[:, december], 0)
    return _CODES[np.searchsorted(_LEAST, staff, side="right") - 1], employed


def newest_year(window: Window) -> int:
    """Return the year of the bands in the stock of a delivery."""
    return int(YEARS[0]) + (window.last - PUBLISHED_AFTER - _DECEMBER) // 12


def current(world: World, window: Window, *, ceased: Flags) -> list[pl.Series]:
    """Return the two columns of the register: band and year, `NN` without a year for a unit that does not employ any more."""
    year = newest_year(window)
    if year < YEARS[0]:
        empty = [None] * len(ceased)
        return [
            pl.Series(name, empty, dtype=pl.String)
            for name in ("trancheEffectifsUniteLegale", "anneeEffectifsUniteLegale")
        ]
    codes, employed = _of_year(world, year)
    known = employed & ~ceased
    years = pl.DataFrame({"known": known}).select(pl.when("known").then(pl.lit(str(year)))).to_series()
    return [
        pl.Series("trancheEffectifsUniteLegale", np.where(known, codes, "NN")),
        years.alias("anneeEffectifsUniteLegale"),
    ]


def history_frame(block: Block, window: Window) -> pl.DataFrame:
    """Return the bands of earlier years, as stocks of those times published them: one row per company and year it employed."""
    parts = []
    first = max(int(YEARS[window.first]) - _YEARS_BEFORE, int(YEARS[0]))
    for year in range(first, newest_year(window)):
        codes, employed = _of_year(block.world, year)
        rows = pl.DataFrame(
            {"siren": block.companies.siren, "anneeEffectifsUniteLegale": year, "trancheEffectifsUniteLegale": codes}
        )
        parts.append(rows.filter(pl.Series(employed)))
    schema = {"siren": pl.String, "anneeEffectifsUniteLegale": pl.Int64, "trancheEffectifsUniteLegale": pl.String}
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)
