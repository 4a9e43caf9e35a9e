"""The synthetic companies: identity, activity, size, birth, establishments. None of it depends on their health."""

from dataclasses import dataclass, fields, replace
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl

from sf_assets_dev.synthetic.activities import ACTIVITIES, of_section
from sf_assets_dev.synthetic.places import PLACES
from sf_assets_dev.synthetic.timeline import MONTHS, NEVER, Flags, Floats, Ints

BLOCK = 1000
"""Companies of the perimeter drawn together. A block does not depend on the number of companies requested."""
EXTRAS = 180
"""Companies that never reach ten staff, on top of each block."""
_NUMBERS_PER_BLOCK = 2048

ORDINARY, EXCLUDED, PUBLIC, FOREIGN, NATURAL, RETIRED = range(6)
"""Kinds: ordinary, excluded activity, public body, head office abroad, natural person, head office with an old code."""

_ORDINARY_CATEGORIES = ("5710", "5499", "5599", "9220", "5699", "5202", "5458")


def generator(seed: int, block: int, subject: str) -> np.random.Generator:
    """Return the random stream of one subject of one block: a new subject does not change the draws of the others."""
    return np.random.Generator(
        np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(block, crc32(subject.encode()))))
    )


def pick(rng: np.random.Generator, weights: Floats, size: int) -> Ints:
    """Draw `size` positions in proportion to `weights`."""
    edges = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(edges, rng.random(size)), len(weights) - 1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Companies:
    """The companies of one block, one item per company: those of the perimeter first, the extras after."""

    number: Ints
    siren: pl.Series
    perimeter: Flags
    kind: Ints
    activity: Ints
    section: Ints
    category: pl.Series
    place: Ints
    birth: Ints
    size: Floats
    wage: Floats

    def __len__(self) -> int:
        return len(self.number)


def draw_companies(seed: int, block: int) -> Companies:
    """Draw the companies of a block. `birth` is a month index, negative before the world starts."""
    rng = generator(seed, block, "companies")
    total = BLOCK + EXTRAS
    perimeter = np.arange(total) < BLOCK
    number = block * _NUMBERS_PER_BLOCK + np.arange(total)
    activity = pick(rng, ACTIVITIES.weight, total)
    odd = rng.random(total)
    kind = np.full(total, ORDINARY)
    for threshold, value in ((0.055, RETIRED), (0.052, NATURAL), (0.045, FOREIGN), (0.04, PUBLIC), (0.025, EXCLUDED)):
        kind[odd < threshold] = value
    kind[~perimeter & (rng.random(total) < 0.25) & (kind == ORDINARY)] = NATURAL
    choice = rng.random(total)
    for value, (low, high) in ((EXCLUDED, ACTIVITIES.excluded), (PUBLIC, ACTIVITIES.public)):
        activity = np.where(kind == value, low + (choice * (high - low)).astype(np.int64), activity)
    section = ACTIVITIES.section[activity]
    return Companies(
        number=number,
        siren=_sirens(seed, number),
        perimeter=perimeter,
        kind=kind,
        activity=activity,
        section=section,
        category=_categories(rng, kind, activity),
        place=pick(rng, PLACES.weight, total),
        birth=_births(rng, kind),
        size=_sizes(rng, perimeter, kind),
        wage=(of_section("wage")[section] * np.exp(rng.normal(0.0, 0.18, total))).astype(np.float32),
    )


def _sirens(seed: int, number: Ints) -> pl.Series:
    # 387,420,489 = 3^18 has no factor in common with 10^9: distinct numbers give distinct sirens.
    offset = int(np.random.SeedSequence(seed).generate_state(1)[0])
    return pl.Series((number * 387_420_489 + offset) % 10**9).cast(pl.String).str.zfill(9)


def _categories(rng: np.random.Generator, kind: Ints, activity: Ints) -> pl.Series:
    ordinary = pick(rng, np.asarray([48, 33, 6, 6, 2, 2, 1], dtype=np.float32), len(kind))
    codes = (*_ORDINARY_CATEGORIES, "3120", "1000", *ACTIVITIES.category)
    first = len(_ORDINARY_CATEGORIES)
    position = np.where(kind == FOREIGN, first, np.where(kind == NATURAL, first + 1, ordinary))
    imposed = (kind == EXCLUDED) | (kind == PUBLIC)
    return pl.Series(codes).gather(np.where(imposed, first + 2 + activity, position))


def _births(rng: np.random.Generator, kind: Ints) -> Ints:
    # Three companies out of ten are born within the world: births then replace those that end.
    total = len(kind)
    old = -1 - rng.gamma(1.5, 110.0, total).astype(np.int64)
    young = rng.integers(0, MONTHS - 24, total)
    birth = np.where(rng.random(total) < 0.33, young, np.maximum(old, -720))
    return np.where((kind == PUBLIC) | (kind == RETIRED), np.minimum(birth, -120), birth)


def _sizes(rng: np.random.Generator, perimeter: Flags, kind: Ints) -> Floats:
    # 53 / 30 / 17 % of 10-19, 20-49 and 50 staff or more: a Pareto tail above ten, before growth and decline.
    total = len(perimeter)
    large = 10.0 * (1.0 - rng.random(total)) ** (-1.0 / 1.25)
    small = np.exp(rng.normal(1.0, 0.55, total))
    size = np.where(perimeter, np.minimum(large, 6000.0), np.clip(small, 1.0, 8.0))
    return np.where(perimeter & (kind == PUBLIC), size * 3, size).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Establishments:
    """The accounts of the companies' establishments, one item per account, sorted by company.

    `low` and `high` bound the share of the company's staff; the account exists in months [`opens`, `closes`); `closes` is
    `NEVER` when only the end of the company closes it. `staffed` is false for a head office abroad.
    """

    company: Ints
    siret: pl.Series
    account: pl.Series
    low: Floats
    high: Floats
    opens: Ints
    closes: Ints
    place: Ints
    seat: Flags
    in_sirene: Flags
    staffed: Flags

    def __len__(self) -> int:
        return len(self.company)


def draw_establishments(seed: int, block: int, companies: Companies) -> Establishments:
    """Draw establishments: most companies have one; some head offices move, some establishments have two accounts."""
    rng = generator(seed, block, "establishments")
    total = len(companies)
    count = np.where(rng.random(total) < 0.70, 1, 2 + rng.geometric(0.45, total) - 1)
    count = count + rng.poisson(np.maximum(companies.size - 50.0, 0.0) / 120.0)
    abroad = companies.kind == FOREIGN
    count = np.where(companies.perimeter, np.clip(count, 1, 40), 1) + abroad
    company = np.repeat(np.arange(total), count)
    rank = np.arange(len(company)) - np.repeat(np.cumsum(count) - count, count)
    share = rng.gamma(1.2, 1.0, len(company)) + np.where(rank == 0, 2.0, 0.1)
    # A head office abroad has no staff here: all staff belong to the French establishments.
    share = np.where(abroad[company] & (rank == 0), 0.0, share)
    summed = np.cumsum(share)
    before = (summed - share)[np.cumsum(count) - count]
    whole = np.add.reduceat(share, np.cumsum(count) - count)
    high = ((summed - before[company]) / whole[company]).astype(np.float32)
    low = np.where(rank == 0, 0.0, np.concatenate(([0.0], high[:-1]))).astype(np.float32)
    high = np.where(rank == count[company] - 1, 1.0, high).astype(np.float32)

    moves = np.where((rank == 0) & (rng.random(len(company)) < 0.06), rng.integers(6, MONTHS, len(company)), NEVER)
    moves = np.where((moves > companies.birth[company] + 6) & ~abroad[company], moves, NEVER)
    two_accounts = (rng.random(len(company)) < 0.01) & (moves == NEVER)
    forged = _is_forging(companies)[company] & (rank > 0) & ~two_accounts
    elsewhere = pick(rng, PLACES.weight, len(company))
    place = np.where((rank == 0) | (rng.random(len(company)) < 0.5), companies.place[company], elsewhere)
    lines = {
        "company": company, "rank": rank, "low": low, "high": high, "opens": np.full(len(company), -NEVER),
        "closes": moves, "place": place, "part": np.zeros(len(company), dtype=np.int64),
    }  # fmt: skip
    extra = np.flatnonzero((moves != NEVER) | two_accounts)
    added = {name: values[extra].copy() for name, values in lines.items()}
    added["part"] = np.where(two_accounts[extra], 2, 1)
    added["opens"] = np.where(two_accounts[extra], -NEVER, moves[extra])
    added["closes"] = np.full(len(extra), NEVER)
    half = (low + (high - low) * 0.6).astype(np.float32)
    added["low"] = np.where(two_accounts[extra], half[extra], low[extra])
    lines["high"] = np.where(two_accounts, half, high)
    forged_lines = np.concatenate((forged, np.zeros(len(extra), dtype=bool)))
    merged = {name: np.concatenate((lines[name], added[name])) for name in lines}
    order = np.lexsort((merged["part"], merged["rank"], merged["company"]))
    merged = {name: values[order] for name, values in merged.items()}
    return _identified(companies, merged, forged_lines[order])


def forget_late_moves(establishments: Establishments, ceases: Ints) -> Establishments:
    """Remove moves planned after the end of a company: its last place remains the one it had."""
    end = ceases[establishments.company]
    kept = np.flatnonzero(establishments.opens < end)
    columns = {item.name: getattr(establishments, item.name) for item in fields(establishments)}
    changes: dict[str, Any] = {
        name: column.gather(kept) if isinstance(column, pl.Series) else column[kept] for name, column in columns.items()
    }
    changes["closes"] = np.where(changes["closes"] >= end[kept], NEVER, changes["closes"])
    return replace(establishments, **changes)


def _is_forging(companies: Companies) -> Flags:
    # URSSAF forges identifiers for temporary work and film production.
    forging = np.asarray([code in {"78.20Z", "59.11B"} for code in ACTIVITIES.naf])
    return forging[companies.activity]


def _identified(companies: Companies, lines: dict[str, Ints], forged: Flags) -> Establishments:
    company, rank, part = lines["company"], lines["rank"], lines["part"]
    sequence = np.where(part == 1, 900 + rank, rank + 1)
    # The second account of an establishment keeps its siret; the last digit depends on nothing else.
    key = (companies.number[company] * 7 + sequence * 3) % 10
    forged_first = np.asarray([5, 6, 7, 9])[(companies.number[company] + rank) % 4]
    nic = np.where(forged, forged_first * 10_000, 0) + sequence * 10 + key
    siren = companies.siren.gather(company)
    siret = siren + pl.Series(nic).cast(pl.String).str.zfill(5)
    bureau = 100 + (companies.place[company] * 8) % 800 + 17
    account = (
        pl.Series(bureau).cast(pl.String)
        + "00000"
        + pl.Series(companies.number[company] * 128 + rank * 3 + part).cast(pl.String).str.zfill(10)
    )
    abroad = (companies.kind[company] == FOREIGN) & (rank == 0)
    return Establishments(
        company=company,
        siret=siret,
        account=account,
        low=lines["low"].astype(np.float32),
        high=lines["high"].astype(np.float32),
        opens=lines["opens"],
        closes=lines["closes"],
        place=lines["place"],
        seat=rank == 0,
        in_sirene=~forged & (part != 2),
        staffed=~abroad,
    )
