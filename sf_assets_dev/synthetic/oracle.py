"""True risks of the synthetic companies, written outside of the batches; no asset reads them."""

import numpy as np
import polars as pl

from sf_assets.vocabulary.partitions import HORIZON_MONTHS
from sf_assets_dev.synthetic.procedures import states
from sf_assets_dev.synthetic.timeline import FIRST_DAYS, MONTHS, Floats, Window, dates
from sf_assets_dev.synthetic.world import (
    CLOSING_HAZARD,
    CRISIS_EFFECT,
    CRISIS_EXIT,
    LASTING,
    LUCK_EFFECT,
    LUCK_MEMORY,
    STRAIN_EFFECT,
    STRAIN_MEMORY,
    WORST_LOG_HAZARD,
    Block,
    World,
    crisis_entry,
)


def oracle_frame(block: Block, window: Window) -> pl.DataFrame:
    """Return one row per company with staff and no open procedure at the end of a month of the window.

    `hazard` is the probability that a procedure opens during the month, `probability_18m` that one opens during the
    18 months that follow it.
    """
    world = block.world
    free = world.alive & (states(world.first, world.second) == 0)
    company, offset = np.nonzero(free[:, window.first : window.last + 1])
    month = offset + window.first
    return pl.DataFrame(
        [
            block.companies.siren.gather(company).alias("siren"),
            dates(FIRST_DAYS[month]).alias("periode"),
            pl.Series("hazard", world.hazard[company, month].astype(np.float64)),
            pl.Series("probability_18m", failure_probability(world)[company, month].astype(np.float64)),
        ]
    )


def failure_probability(world: World) -> Floats:
    """Return the probability that a company with no open procedure at the end of a month fails in the 18 that follow.

    It is conditional on the hidden state of that month, the upper limit of what could be known then; in the last 18 months of
    the simulation, fewer months ahead are counted. The future hazards are log-normal; their sum is treated as a
    gamma variable of the same spread, and closings are a competing risk with a constant rate.
    """
    total = np.zeros_like(world.hazard)
    moving = world.strain - world.lasting[:, None]
    entry = crisis_entry(world.strain)
    for step in range(1, HORIZON_MONTHS + 1):
        kept_strain, kept_luck = STRAIN_MEMORY**step, LUCK_MEMORY**step
        variance = _unknown_variance(kept_strain, kept_luck)
        now = slice(0, MONTHS - step)
        ahead = world.fixed[:, step:] + STRAIN_EFFECT * (world.lasting[:, None] + kept_strain * moving[:, now])
        ahead += LUCK_EFFECT * kept_luck * world.luck[:, now] + variance / 2
        lasts = (1 - CRISIS_EXIT) ** step
        acute = (
            lasts * world.crisis[:, now]
            + np.minimum(entry[:, now] * (1 - lasts) / CRISIS_EXIT, 1.0) * ~world.crisis[:, now]
        )
        calm = np.exp(np.minimum(ahead, WORST_LOG_HAZARD))
        worse = np.exp(np.minimum(ahead + CRISIS_EFFECT, WORST_LOG_HAZARD))
        total[:, now] += (calm + acute * (worse - calm)) * (1 - CLOSING_HAZARD) ** step
    spread = np.expm1(
        0.5 * _unknown_variance(STRAIN_MEMORY ** (HORIZON_MONTHS / 2), LUCK_MEMORY ** (HORIZON_MONTHS / 2))
    )
    probability: Floats = 1 - (1 + total * spread) ** (-1 / spread)
    return probability


def _unknown_variance(kept_strain: float, kept_luck: float) -> float:
    return float(STRAIN_EFFECT**2 * (1 - LASTING) * (1 - kept_strain**2) + LUCK_EFFECT**2 * (1 - kept_luck**2))
