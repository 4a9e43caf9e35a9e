"""Short-time work as the labour administration exports it: `demande_ap.csv` and `consommation_ap.csv`."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import ndtri

from sf_assets_dev.synthetic.activities import of_section
from sf_assets_dev.synthetic.population import PUBLIC, Companies, Establishments
from sf_assets_dev.synthetic.timeline import FIRST_DAYS, MONTHS, Flags, Floats, Ints, Window, dates
from sf_assets_dev.synthetic.world import Block, World

HOURS = 151.67
_LONGEST = 6
"""Maximum number of months that one demand covers."""
_DEMANDS = 1000
"""Maximum number of demands of one company: an identifier has three digits for their rank."""

# Share of employees on short-time work, all sectors, from March 2020 on (Dares): the shape of the crisis.
_CRISIS = (
    0.30, 0.44, 0.36, 0.17, 0.09, 0.065, 0.06, 0.09, 0.15, 0.13, 0.115, 0.11, 0.115, 0.14, 0.115, 0.06, 0.032, 0.026,
    0.024, 0.022, 0.020, 0.019, 0.021, 0.017, 0.0125, 0.009, 0.007, 0.005, 0.004,
)  # fmt: skip
_CRISIS_START = 86
_IDLE_IN_CRISIS = 0.42
"""Share of staff on short-time work in a company that applied for it, unused demands included."""
_IDLE = 0.008
"""Monthly share of companies on short-time work in normal times, before sector and health."""


@dataclass(frozen=True, slots=True)
class ShortTime:
    """Demands of short-time work, one item per demand, months inclusive; and the hours used, one item per month.

    `idle` is the share of the hours of each account that was not worked, shape (accounts, months).
    """

    account: Ints
    begins: Ints
    ends: Ints
    staff: Ints
    heads: Ints
    hours: Floats
    motive: Ints
    noise: Ints
    use_demand: Ints
    use_month: Ints
    use_hours: Floats
    use_heads: Ints
    idle: Floats


def draw_short_time(block: Block, staff: Ints) -> ShortTime:
    """Draw the months on short-time work, group them into demands, and draw the hours actually used."""
    rng = block.generator("short_time")
    companies, establishments, world = block.companies, block.establishments, block.world
    company = establishments.company
    share = _share(companies, world)
    lasting = rng.standard_normal(len(companies), dtype=np.float32)[:, None]
    passing = _smooth(rng.standard_normal(share.shape, dtype=np.float32))
    propensity = 0.75 * lasting + 0.66 * passing
    on = (propensity > -ndtri(share))[company] & (staff > 0)
    on[rng.random(len(company)) < 0.05] = False
    spells = _spells(on)
    # One company of the country, with many establishments, has more spells than identifiers.
    identified = ranks(company[spells[0]]) < _DEMANDS
    account, begins, ends = (values[identified] for values in spells)
    count = len(account)
    in_crisis = (ends >= _CRISIS_START) & (begins < _CRISIS_START + 26)
    least = np.where(in_crisis, 0.7, 0.3)
    heads = np.maximum(1, np.rint(staff[account, begins] * rng.uniform(least, 1.0))).astype(np.int64)
    hours = heads * HOURS * (ends - begins + 1) * rng.uniform(0.4, 1.0, count)
    usual = np.asarray([1, 1, 1, 1, 1, 1, 2, 3, 4, 5])[rng.integers(0, 10, count)]
    motive = np.where(in_crisis & (rng.random(count) < 0.95), 5, usual)
    used = rng.random(count) < np.where(in_crisis, 0.62, 0.70)

    length = np.where(used, ends - begins + 1, 0)
    demand = np.repeat(np.arange(count), length)
    month = begins[demand] + np.arange(len(demand)) - np.repeat(np.cumsum(length) - length, length)
    use_heads = np.maximum(1, np.rint(heads[demand] * rng.uniform(least[demand], 1.0))).astype(np.int64)
    use_hours = np.round(use_heads * HOURS * rng.uniform(0.15, 0.9, len(demand)), 2)
    idle = np.zeros(staff.shape, dtype=np.float32)
    np.add.at(idle, (account[demand], month), use_hours)
    idle /= np.maximum(staff, 1) * np.float32(HOURS)
    return ShortTime(
        account=account, begins=begins, ends=ends, staff=staff[account, begins], heads=heads, hours=np.round(hours, 1),
        motive=motive, noise=rng.integers(0, 1 << 40, count), use_demand=demand, use_month=month,
        use_hours=use_hours, use_heads=use_heads, idle=np.minimum(idle, 1.0),
    )  # fmt: skip


def _share(companies: Companies, world: World) -> Floats:
    """Return the probability that a company is on short-time work, shape (companies, months)."""
    idle = _IDLE * of_section("idle")[companies.section]
    share = idle[:, None] * np.exp(np.minimum(0.6 * world.strain, 2.0))
    hit = (of_section("crisis") / of_section("crisis").mean())[companies.section]
    curve = np.zeros(MONTHS, dtype=np.float32)
    curve[_CRISIS_START : _CRISIS_START + len(_CRISIS)] = np.asarray(_CRISIS) / _IDLE_IN_CRISIS
    # After the first lockdown, short-time work was concentrated in the closed sectors.
    level = hit[:, None] ** np.where(curve > 0.6, 0.8, 1.6) * curve
    share = share + level * np.exp(0.15 * world.strain)
    share[companies.kind == PUBLIC] = 0.0
    bounded: Floats = np.minimum(share, 0.97).astype(np.float32)
    return bounded


def _smooth(noise: Floats) -> Floats:
    smooth = (noise + np.roll(noise, 1, axis=1) + np.roll(noise, 2, axis=1)) / np.float32(np.sqrt(3))
    smooth[:, :2] = noise[:, :2]
    return smooth


def _spells(on: Flags) -> tuple[Ints, Ints, Ints]:
    """Return the account, first and last month of each run of months, cut every six months."""
    padded = np.pad(on, ((0, 0), (1, 1)))
    steps = np.diff(padded.astype(np.int8), axis=1)
    account, first = np.nonzero(steps == 1)
    last = np.nonzero(steps == -1)[1] - 1
    pieces = (last - first) // _LONGEST + 1
    piece = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    begins = np.repeat(first, pieces) + piece * _LONGEST
    return np.repeat(account, pieces), begins, np.minimum(begins + _LONGEST - 1, np.repeat(last, pieces))


def ranks(company: Ints) -> Ints:
    """Return the rank of each item within its company, from 0; items of a company follow one another.

    >>> ranks(np.array([4, 4, 4, 9])).tolist()
    [0, 1, 2, 0]
    """
    starts = np.flatnonzero(np.diff(company, prepend=-1))
    return np.arange(len(company)) - np.repeat(starts, np.diff(np.append(starts, len(company))))


def _identifiers(companies: Companies, establishments: Establishments, short_time: ShortTime) -> pl.Series:
    """Return 11 digits per demand: company, rank of the demand within it, and `00` for an original demand."""
    company = establishments.company[short_time.account]
    number = companies.number[company] * _DEMANDS + ranks(company)
    return pl.Series(number).cast(pl.String).str.zfill(9) + "00"


def _demand_days(short_time: ShortTime) -> tuple[Ints, Ints, Ints]:
    draw = short_time.noise
    begins = FIRST_DAYS[short_time.begins] + np.where(draw % 3 == 0, draw % 15, 0)
    ends = FIRST_DAYS[short_time.ends + 1] - 1
    return begins, ends, begins - 12 + draw % 31


def ap_frames(block: Block, short_time: ShortTime, window: Window) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of `demande_ap.csv` and `consommation_ap.csv` for the demands decided in the window.

    One demand in thirty is decided again weeks later, for fewer hours: it then has a row per decision.
    """
    establishments = block.establishments
    identifier = _identifiers(block.companies, establishments, short_time)
    begins, ends, decided = _demand_days(short_time)
    shown = (decided <= window.delivered) & (decided >= window.first_day)
    use = shown[short_time.use_demand] & (short_time.use_month <= window.apconso_last)
    use_demand, use_month = short_time.use_demand[use], short_time.use_month[use]
    use_hours, use_heads = short_time.use_hours[use], short_time.use_heads[use]
    siret = establishments.siret.gather(short_time.account)
    consumption = pl.DataFrame(
        [
            identifier.gather(use_demand).alias("ID_DA"),
            siret.gather(use_demand).alias("ETAB_SIRET"),
            pl.Series("HEURES", use_hours),
            pl.Series("MONTANTS", np.round(use_hours * 8.2, 2)),
            pl.Series("EFFECTIFS", use_heads.astype(np.float64)),
            dates(FIRST_DAYS[use_month]).alias("MOIS"),
        ]
    )
    count = len(short_time.account)
    total_hours = np.bincount(use_demand, weights=use_hours, minlength=count)
    total_heads = np.bincount(use_demand, weights=use_heads, minlength=count)
    company = establishments.company[short_time.account]
    row = np.flatnonzero(shown)
    motive = pl.Series("MOTIF_RECOURS_SE", short_time.motive)
    demands = pl.DataFrame(
        [
            identifier.alias("ID_DA"),
            siret.alias("ETAB_SIRET"),
            pl.Series("EFF_ENT", block.world.headcount[company, short_time.begins].astype(np.float64)),
            pl.Series("EFF_ETAB", short_time.staff.astype(np.float64)),
            dates(decided).alias("DATE_STATUT"),
            dates(begins).alias("DATE_DEB"),
            dates(ends).alias("DATE_FIN"),
            pl.Series("HTA", short_time.hours),
            pl.Series("MTA", np.round(short_time.hours * 8.2, 2)),
            pl.Series("EFF_AUTO", short_time.heads.astype(np.float64)),
            motive.set(pl.Series(short_time.noise % 997 == 0), None),
            pl.Series("PERIMETRE_AP", 1 + short_time.noise % 4),
            pl.Series("S_HEURE_CONSOM_TOT", np.round(total_hours, 2)),
            pl.Series("S_EFF_CONSOM_TOT", total_heads),
            pl.Series("S_MONTANT_CONSOM_TOT", np.round(total_hours * 8.2, 2)),
            pl.Series("RECOURS_ANTERIEUR", 1 + short_time.noise % 3),
        ]
    )
    again = decided + 20 + short_time.noise % 40
    shown_again = shown & (short_time.noise % 30 == 7) & (again <= window.delivered)
    later = demands.with_columns(
        dates(again).alias("DATE_STATUT"), pl.col("HTA", "MTA").mul(0.6).round(2)
    )[np.flatnonzero(shown_again)]  # fmt: skip
    return pl.concat([demands[row], later]), consumption
