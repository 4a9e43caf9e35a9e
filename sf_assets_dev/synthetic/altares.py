"""Payment behaviour as Altares sells it: `altares_paydex.csv`, one row per company and month."""

import numpy as np
import polars as pl

from sf_assets_dev.synthetic.population import PUBLIC
from sf_assets_dev.synthetic.timeline import FIRST_DAYS, MONTHS, Flags, Floats, Window, dates
from sf_assets_dev.synthetic.world import Block, autoregressive

_COVERED = 0.75
_COVERED_BY_NOTES = 0.66
"""Share of the covered companies that also have FPI notes, which makes half of all companies."""
_MEASURED_ON = 14
"""Days after the first of the month."""


def paydex_frame(block: Block, window: Window) -> pl.DataFrame:
    """Return the rows of `altares_paydex.csv` for the months of the window."""
    rng = block.generator("paydex")
    companies, world = block.companies, block.world
    total = len(companies)
    covered = (rng.random(total) < _COVERED * 1.02) & (companies.kind != PUBLIC)
    noted = rng.random(total) < _COVERED_BY_NOTES
    habit = rng.standard_normal(total, dtype=np.float32)[:, None]
    drift = autoregressive(rng, total, 0.9)
    blur = rng.standard_normal((total, MONTHS), dtype=np.float32)
    late = 0.85 * world.strain + 1.1 * world.crisis + 0.55 * habit + 0.4 * drift + 0.35 * blur
    doubt = rng.standard_normal((2, total, MONTHS), dtype=np.float32)
    suppliers = 1 + rng.poisson(3 + 2 * np.log(companies.size))
    amounts = companies.size * 1500 * np.exp(rng.normal(0, 0.7, total))

    shown = slice(window.first, window.paydex_last + 1)
    reported = world.alive[:, shown] & covered[:, None]
    company, offset = np.nonzero(reported)
    level = late[:, shown][company, offset]
    noise = blur[:, shown][company, offset]
    bend = np.where(level < 0, level * 1.35, level)
    days = np.clip(np.exp(1.95 + bend) - 1, 0, 350)
    with_notes = noted[company]
    return pl.DataFrame(
        [
            companies.siren.gather(company).alias("siren"),
            pl.Series("état_organisation", ["Actif"]).new_from_index(0, len(company)),
            pl.Series("code_paydex", [None], dtype=pl.String).new_from_index(0, len(company)),
            pl.Series("paydex", np.rint(days).astype(np.float64)),
            pl.Series("n_fournisseurs", np.maximum(1, suppliers[company] + np.rint(noise)).astype(np.float64)),
            pl.Series("encours_étudiés", np.round(amounts[company] * np.exp(0.3 * noise)).astype(np.float64)),
            _note(level - 2.2 + 0.5 * doubt[0][:, shown][company, offset], with_notes).alias("fpi_30"),
            _note(level - 3.2 + 0.7 * doubt[1][:, shown][company, offset], with_notes).alias("fpi_90"),
            dates(FIRST_DAYS[offset + window.first] + _MEASURED_ON).alias("date"),
        ]
    )


def _note(level: Floats, known: Flags) -> pl.Series:
    note = np.round(100 / (1 + np.exp(-1.1 * level))).astype(np.float64)
    return pl.Series(np.where(known, note, np.nan)).fill_nan(None)
