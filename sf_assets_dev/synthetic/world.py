"""The life of the synthetic companies: health, head-count, failures, closings. No producer knows all of it.

The logarithm of the monthly hazard of failure is a sum of known terms (year, age, sector, size) and of two hidden
processes, `strain`, which the producers observe with noise, and `luck`, which almost no file reflects, and of `crisis`, an
acute state that strain makes more likely and that mostly appears as unpaid contributions. Strain and luck are Gaussian and
autoregressive, crisis is a Markov chain: the probability of failure within 18 months given the present state follows.
"""

from dataclasses import dataclass

import numpy as np

from sf_assets_dev.synthetic.activities import of_section
from sf_assets_dev.synthetic.help import NO_HELP, Help, helped
from sf_assets_dev.synthetic.population import (
    PUBLIC,
    Companies,
    Establishments,
    draw_companies,
    draw_establishments,
    forget_late_moves,
    generator,
)
from sf_assets_dev.synthetic.procedures import Procedure, after_failure
from sf_assets_dev.synthetic.timeline import MONTHS, NEVER, YEARS, Flags, Floats, Ints

BASE_HAZARD = 0.00135
"""Monthly hazard of a company of average risk in 2019."""
CLOSING_HAZARD = 0.0013
STRAIN_EFFECT = 2.2
LUCK_EFFECT = 1.0
CRISIS_EFFECT = 2.5
CRISIS_ENTRY = -7.0
"""Logarithm of the monthly probability of entering a crisis, at no strain."""
CRISIS_SLOPE = 0.9
CRISIS_EXIT = 0.06
STRAIN_MEMORY = 0.98
LUCK_MEMORY = 0.95
LASTING = 0.10
"""Share of the variance of strain that never changes."""
WORST_LOG_HAZARD = -1.2
_NO_RISK = -30.0
"""Public bodies do not fail, nor companies of less than three months."""

# Failures relative to 2019 (Banque de France, all sizes), except the moratorium of 2020-21; later years are invented.
_YEARLY = {
    2013: 1.20, 2014: 1.20, 2015: 1.18, 2016: 1.12, 2017: 1.06, 2018: 1.04, 2019: 1.00, 2020: 0.45, 2021: 0.50,
    2022: 0.82, 2023: 1.08, 2024: 1.25, 2025: 1.32, 2026: 1.28, 2027: 1.20, 2028: 1.15, 2029: 1.10, 2030: 1.10,
}  # fmt: skip


def _calendar() -> Floats:
    level = np.asarray([_YEARLY[int(year)] for year in YEARS])
    # Courts closed from mid-March 2020: the fall is sudden, the recovery slow.
    level[(YEARS == 2020) & (np.arange(MONTHS) % 12 < 2)] = 1.0
    smooth = np.convolve(np.pad(level, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    fall = (np.arange(MONTHS) >= 83) & (np.arange(MONTHS) <= 90)
    return np.log(np.where(fall, level, smooth)).astype(np.float32)


CALENDAR = _calendar()


@dataclass(frozen=True, slots=True)
class World:
    """The life of the companies of a block. Matrices have shape (companies, months).

    `fixed` gathers the known terms of the logarithm of the monthly `hazard` of failure; `lasting` is the part of strain
    that never changes. `alive` marks months with staff, `ceases` is the first month without; `closed`
    the month of an end without procedure. `first` and `second` are the procedures.
    """

    strain: Floats
    luck: Floats
    crisis: Flags
    lasting: Floats
    fixed: Floats
    hazard: Floats
    alive: Flags
    headcount: Ints
    ceases: Ints
    closed: Ints
    first: Procedure
    second: Procedure


def draw_world(seed: int, block: int, companies: Companies, help_given: Help = NO_HELP) -> World:
    """Simulate every month for the companies of one block; help prevents some of their first failures."""
    rng = generator(seed, block, "world")
    total = len(companies)
    lasting = (rng.standard_normal(total, dtype=np.float32) * np.sqrt(LASTING)).astype(np.float32)
    strain = lasting[:, None] + np.sqrt(1 - LASTING) * autoregressive(rng, total, STRAIN_MEMORY)
    strain = strain.astype(np.float32)
    luck = autoregressive(rng, total, LUCK_MEMORY)
    crisis = _crises(rng, strain)
    months = np.arange(MONTHS)
    birth = companies.birth[:, None]
    at_risk = months >= np.maximum(birth + 3, 0)
    fixed = np.where(at_risk, _known_terms(companies), np.float32(_NO_RISK))
    log_hazard = fixed + STRAIN_EFFECT * strain + LUCK_EFFECT * luck + CRISIS_EFFECT * crisis
    hazard = np.exp(np.minimum(log_hazard, WORST_LOG_HAZARD))

    closed = first_passage(np.where(at_risk, _closing(companies), 0.0), rng.random(total))
    opened = first_passage(hazard, rng.random(total))
    opened = np.where(opened < closed, opened, NEVER)
    opened = helped(generator(seed, block, "help"), opened, companies.siren, help_given)
    first = after_failure(rng, opened, companies)
    reopened = first_passage(np.where(months > first.ended[:, None], hazard, 0.0), rng.random(total))
    second = after_failure(rng, np.where(first.ended < NEVER, reopened, NEVER), companies)
    liquidated = np.minimum(first.liquidated, second.liquidated)
    closed = np.where(np.minimum(closed, liquidated) == liquidated, NEVER, closed)
    # A company in a procedure does not close by itself: it stays open until the procedure is settled.
    closed = np.where(opened < NEVER, NEVER, closed)
    ceases = np.minimum(closed, liquidated + rng.integers(1, 5, total))
    alive = (months >= birth) & (months < ceases[:, None])
    headcount = _headcount(rng, companies, strain, crisis, closed=closed, ceases=ceases, first=first)
    return World(
        strain=strain,
        luck=luck,
        crisis=crisis,
        lasting=lasting,
        fixed=fixed,
        hazard=hazard.astype(np.float32),
        alive=alive,
        headcount=np.where(alive, headcount, 0),
        ceases=ceases,
        closed=closed,
        first=first,
        second=second,
    )


def autoregressive(rng: np.random.Generator, total: int, memory: float) -> Floats:
    """Return stationary Gaussian paths of variance one, shape (total, months); `memory` is the monthly correlation."""
    shocks = rng.standard_normal((MONTHS, total), dtype=np.float32)
    shocks[1:] *= np.float32(np.sqrt(1 - memory**2))
    for month in range(1, MONTHS):
        shocks[month] += np.float32(memory) * shocks[month - 1]
    return np.ascontiguousarray(shocks.T)


def _crises(rng: np.random.Generator, strain: Floats) -> Flags:
    draw = rng.random(strain.shape[::-1], dtype=np.float32)
    entry = crisis_entry(strain).T
    crisis = np.empty(draw.shape, dtype=bool)
    crisis[0] = draw[0] < entry[0] / CRISIS_EXIT
    for month in range(1, MONTHS):
        crisis[month] = np.where(crisis[month - 1], draw[month] >= CRISIS_EXIT, draw[month] < entry[month])
    return np.ascontiguousarray(crisis.T)


def crisis_entry(strain: Floats) -> Floats:
    """Return the monthly probability of entering a crisis."""
    entry: Floats = np.minimum(np.exp(CRISIS_ENTRY + CRISIS_SLOPE * strain), 0.1)
    return entry


def first_passage(hazard: Floats, draw: Floats) -> Ints:
    """Return the first month in which the cumulative hazard exceeds the threshold set by `draw`, or `NEVER`."""
    cumulated = np.cumsum(-np.log1p(-np.minimum(hazard, 0.5)), axis=1)
    passed = cumulated > -np.log1p(-draw)[:, None]
    return np.where(passed[:, -1], passed.argmax(axis=1), NEVER)


def ages(companies: Companies) -> Ints:
    """Return the age in months, shape (companies, months); negative before birth."""
    return np.arange(MONTHS) - companies.birth[:, None]


def _known_terms(companies: Companies) -> Floats:
    years = ages(companies) / 12.0
    knots = (0.0, 1.0, 2.0, 4.0, 6.0, 10.0, 15.0, 30.0)
    age = np.interp(years, knots, np.log([0.45, 0.9, 1.5, 1.8, 1.5, 1.1, 0.85, 0.65]))
    sector = np.log(of_section("risk"))[companies.section]
    size = -0.22 * np.log(companies.size / 18.0)
    centre = np.log(BASE_HAZARD) - (STRAIN_EFFECT**2 + LUCK_EFFECT**2) / 2 + 0.35
    sector = np.where(companies.kind == PUBLIC, _NO_RISK, sector)
    terms: Floats = centre + CALENDAR + age + (sector + size)[:, None]
    return terms.astype(np.float32)


def _closing(companies: Companies) -> Floats:
    # Mergers and retirements: almost independent of health.
    small = np.where(companies.perimeter, 1.0, 2.0) * np.where(companies.kind == PUBLIC, 0.1, 1.0)
    return np.repeat((CLOSING_HAZARD * small)[:, None], MONTHS, axis=1)


def _headcount(
    rng: np.random.Generator,
    companies: Companies,
    strain: Floats,
    crisis: Flags,
    *,
    closed: Ints,
    ceases: Ints,
    first: Procedure,
) -> Ints:
    total = len(companies)
    months = np.arange(MONTHS)
    weight = strain + 2.0 * crisis
    tired = np.empty_like(strain)
    tired[:, 0] = weight[:, 0]
    for month in range(1, MONTHS):
        tired[:, month] = 0.93 * tired[:, month - 1] + 0.07 * weight[:, month]
    trend = rng.normal(0.0, 0.0012, total)[:, None] * (months - MONTHS / 2)
    drift = 0.16 * autoregressive(rng, total, 0.98)
    staff = np.log(companies.size)[:, None] + trend + drift - 0.21 * tired
    age = np.maximum(ages(companies), 0)
    staff += np.log1p(-0.65 * np.exp(-age / 9.0))
    since = np.clip(months - first.opened[:, None], 0, 36)
    staff -= np.where(since > 0, 0.06 + 0.015 * since, 0.0)
    staff -= np.where(months >= first.liquidated[:, None], 1.2, 0.0)
    left = closed[:, None] - months
    staff += np.where((left > 0) & (left <= 6), np.log(np.clip(left, 1, 6) / 7.0), 0.0)
    level = np.exp(staff)
    lived = (months >= companies.birth[:, None]) & (months < ceases[:, None])
    peak = np.where(lived, level, 0.0).max(axis=1)
    lift = np.where(companies.perimeter & (peak > 0), np.maximum(1.0, 10.4 / np.maximum(peak, 1e-6)), 1.0)
    counted = np.rint(level * lift[:, None]).astype(np.int64)
    headcount: Ints = np.where(companies.perimeter[:, None], np.maximum(counted, 1), np.minimum(counted, 9))
    return headcount


@dataclass(frozen=True, slots=True)
class Block:
    """Companies drawn together, their establishments and their life: everything that the producers' files derive from."""

    seed: int
    number: int
    companies: Companies
    establishments: Establishments
    world: World

    def generator(self, subject: str) -> np.random.Generator:
        """Return the random stream of one subject of this block."""
        return generator(self.seed, self.number, subject)


def draw_block(seed: int, number: int, help_given: Help = NO_HELP) -> Block:
    """Draw one block of the world of `seed`."""
    companies = draw_companies(seed, number)
    world = draw_world(seed, number, companies, help_given)
    establishments = forget_late_moves(draw_establishments(seed, number, companies), world.ceases)
    return Block(seed, number, companies, establishments, world)
