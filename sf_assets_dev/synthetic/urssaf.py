"""URSSAF's head-counts and contributions: `sigfaible_effectif_*`, `sigfaible_cotisdues`."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from sf_assets_dev.synthetic.places import PLACES
from sf_assets_dev.synthetic.population import Establishments
from sf_assets_dev.synthetic.timeline import MONTHS, MONTHS_OF_YEAR, PERIODS, QUARTERS, Flags, Floats, Ints, Window
from sf_assets_dev.synthetic.world import Block

_QUARTERLY_SHARE = 0.02
_EMPTY_AMOUNT = 2_003
"""Number of contributions among which one has no amount."""


def staff_of(block: Block) -> Ints:
    """Return the headcount of every account, shape (accounts, months): the accounts of a company add up to its head-count."""
    establishments = block.establishments
    whole = block.world.headcount[establishments.company]
    upper = np.floor(establishments.high[:, None] * whole + 0.5)
    lower = np.floor(establishments.low[:, None] * whole + 0.5)
    return np.where(presence(block), upper - lower, 0).astype(np.int64)


def presence(block: Block) -> Flags:
    """Return the months in which every account exists."""
    months = np.arange(MONTHS)
    establishments = block.establishments
    lives = (months >= establishments.opens[:, None]) & (months < establishments.closes[:, None])
    return lives & block.world.alive[establishments.company] & establishments.staffed[:, None]


def effectif_columns(window: Window) -> list[str]:
    """Return the names of the head-count columns; the last two are always empty."""
    return [f"eff{PERIODS[month]}" for month in range(window.first, window.effectif_last + 3)]


def _cells(counts: Ints, known: Flags, window: Window, space: str) -> list[pl.Series]:
    """Return one text column per month; thousands are separated by `space`, unknown months are empty."""
    shown = slice(window.first, window.effectif_last + 1)
    flat = pl.DataFrame({"n": counts[:, shown].T.ravel(), "known": known[:, shown].T.ravel()})
    number = pl.col("n").cast(pl.String)
    separated = number.str.head(-3) + space + number.str.tail(3)
    text = flat.select(pl.when(pl.col("known")).then(pl.when(pl.col("n") < 1000).then(number).otherwise(separated)))
    rows = len(counts)
    names = effectif_columns(window)
    column = text.to_series()
    filled = [column.slice(i * rows, rows).alias(name) for i, name in enumerate(names[:-2])]
    return filled + [pl.Series(name, [None] * rows, dtype=pl.String) for name in names[-2:]]


def effectif_siren_frame(block: Block, window: Window) -> pl.DataFrame:
    """Return the rows of `sigfaible_effectif_siren.csv`: one per company with staff in the window."""
    world = block.world
    kept = world.alive[:, window.first : window.effectif_last + 1].any(axis=1)
    columns = _cells(world.headcount, world.alive, window, " ")
    frame = pl.DataFrame([block.companies.siren.alias("siren"), *columns])
    return frame.with_columns(pl.lit("x").alias("rais_soc")).filter(pl.Series(kept))


def effectif_siret_frame(block: Block, staff: Ints, window: Window) -> pl.DataFrame:
    """Return the rows of `sigfaible_effectif_siret.csv`: one per account with staff in the window."""
    establishments = block.establishments
    known = presence(block)
    kept: Flags = np.any(known[:, window.first : window.effectif_last + 1], axis=1)
    empty = pl.Series("ape_ins", [None] * len(kept), dtype=pl.String)
    identity = [
        establishments.account.alias("compte"),
        establishments.siret.alias("siret"),
        pl.Series("rais_soc", ["x"] * len(kept)),
        empty,
        PLACES.departement.gather(establishments.place).alias("dep"),
    ]
    return pl.DataFrame([*identity, *_cells(staff, known, window, "\u00a0")]).filter(pl.Series(kept))


@dataclass(frozen=True, slots=True)
class Contributions:
    """What every account owes, in cents, shape (accounts, months); the contributions of a quarter are in its last month."""

    due: Ints
    quarterly: Flags


def draw_contributions(block: Block, staff: Ints, idle: Floats) -> Contributions:
    """Draw contributions: staff × wage × rate, seasons and noise; `idle` is the share of hours on short-time work."""
    rng = block.generator("contributions")
    companies, establishments = block.companies, block.establishments
    wage = companies.wage[establishments.company]
    rate = np.clip(0.28 + 0.10 * (wage - 2000) / 1500, 0.26, 0.46)
    season = np.asarray([0.99, 0.97, 1.0, 0.98, 0.99, 1.05, 1.02, 0.98, 0.99, 0.98, 1.02, 1.14])[MONTHS_OF_YEAR - 1]
    raises = 1.018 ** (np.arange(MONTHS) / 12)
    noise = 1 + 0.04 * rng.standard_normal(staff.shape, dtype=np.float32)
    due = staff * (wage * rate)[:, None] * (season * raises).astype(np.float32) * noise * (1 - 0.85 * idle)
    cents = np.rint(np.maximum(due, 0) * 100).astype(np.int64)
    quarterly = rng.random(len(companies)) < np.where(companies.perimeter, _QUARTERLY_SHARE, 0.25)
    mine = quarterly[establishments.company]
    by_quarter = cents[mine].reshape(int(mine.sum()), MONTHS // 3, 3).sum(axis=2)
    cents[mine] = 0
    cents[np.flatnonzero(mine)[:, None], np.arange(2, MONTHS, 3)] = by_quarter
    return Contributions(cents, mine)


def cotisation_frame(
    establishments: Establishments, contributions: Contributions, unpaid: Ints, window: Window
) -> pl.DataFrame:
    """Return the rows of `sigfaible_cotisdues.csv.gz`; `unpaid` is in cents and has the shape of the amounts due."""
    shown = slice(window.first, window.cotisation_last + 1)
    due = contributions.due[:, shown]
    account, offset = np.nonzero(due)
    month = offset + window.first
    quarter = contributions.quarterly[account]
    cents = due[account, offset]
    late = np.minimum(unpaid[account, month], cents)
    periods = pl.Series(PERIODS + QUARTERS).gather(month + np.where(quarter, MONTHS, 0))
    paid = pl.Series((cents - late) / 100.0)
    empty = pl.Series((cents + account) % _EMPTY_AMOUNT == 0)
    identity = pl.DataFrame(
        {
            "dep": PLACES.departement.gather(establishments.place),
            "siret": establishments.siret,
            "compte": establishments.account,
        }
    ).select(pl.format("117;{};{};{}", "dep", "siret", "compte"))
    frame = pl.DataFrame(
        [
            identity.to_series().gather(account).alias("identity"),
            periods.alias("periode"),
            pl.Series("mer", late / 100.0),
            paid.alias("enc_direct"),
            pl.Series("cotis_due", cents / 100.0),
        ]
    )
    return frame.with_columns(pl.when(empty).then(None).otherwise(pl.col("cotis_due")).alias("cotis_due"))
