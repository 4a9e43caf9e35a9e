"""Collective procedures after a failure: their kind, their stages and their end."""

from dataclasses import dataclass

import numpy as np

from sf_assets_dev.synthetic.population import Companies
from sf_assets_dev.synthetic.timeline import MONTHS, NEVER, Flags, Ints

SAUVEGARDE, REDRESSEMENT, LIQUIDATION = range(3)


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure at most per company, as month indices (`NEVER` when it does not happen).

    `kind` is the kind at the opening; `converted` the month a sauvegarde becomes a redressement; `ended` the month the
    company is back in bonis; `settled` the month a liquidation is closed for lack of assets. `draw` sets the days.
    """

    opened: Ints
    kind: Ints
    converted: Ints
    planned: Ints
    liquidated: Ints
    ended: Ints
    settled: Ints
    draw: Ints


def after_failure(rng: np.random.Generator, opened: Ints, companies: Companies) -> Procedure:
    """Draw the kind of procedure and its stages for companies that fail in month `opened`.

    The smaller the company, the more frequent a liquidation. Two redressements out of three end in liquidation, half of all
    redressements before any plan.
    """
    total = len(opened)
    failed = opened < NEVER
    large = np.log(np.maximum(companies.size, 3.0) / 10.0)
    straight = np.clip(0.68 - 0.16 * large, 0.12, 0.80)
    saved = np.clip(0.02 + 0.02 * large, 0.005, 0.10)
    draw = rng.random(total)
    kind = np.where(draw < straight, LIQUIDATION, np.where(draw > 1 - saved, SAUVEGARDE, REDRESSEMENT))

    def later(base: Ints, low: int, high: int, when: Flags) -> Ints:
        delay = rng.integers(low, high, total)
        return np.where(when & (base < NEVER), base + delay, NEVER)

    fate = rng.random(total)
    converted = later(opened, 3, 12, (kind == SAUVEGARDE) & (fate < 0.15))
    lost = np.where(kind == REDRESSEMENT, fate < 0.50, fate < 0.30) & (kind != LIQUIDATION)
    planned = later(opened, 6, 18, ~lost & (kind != LIQUIDATION) & (fate < 0.93))
    broken = later(planned, 6, 48, rng.random(total) < np.where(kind == REDRESSEMENT, 0.34, 0.20))
    liquidated = np.where(failed & (kind == LIQUIDATION), opened, NEVER)
    liquidated = np.minimum(liquidated, later(opened, 2, 14, lost))
    liquidated = np.where(lost & (converted < NEVER), np.maximum(liquidated, converted + 1), liquidated)
    liquidated = np.minimum(liquidated, broken)
    ended = np.minimum(later(planned, 24, 110, broken == NEVER), later(opened, 8, 18, ~lost & (fate >= 0.93)))
    ended = np.where(liquidated < NEVER, NEVER, ended)
    settled = later(liquidated, 12, 44, np.ones(total, dtype=bool))
    return Procedure(
        opened=opened,
        kind=kind,
        converted=converted,
        planned=planned,
        liquidated=liquidated,
        ended=ended,
        settled=settled,
        draw=rng.integers(0, 1 << 40, total),
    )


def states(first: Procedure, second: Procedure) -> Ints:
    """Return the situation at the end of each month, shape (companies, months): 0 none, 1 procedure, 2 plan."""
    months = np.arange(MONTHS)
    state = np.zeros((len(first.opened), MONTHS), dtype=np.int64)
    for procedure in (first, second):
        state[months >= procedure.opened[:, None]] = 1
        state[(months >= procedure.planned[:, None]) & (months < procedure.liquidated[:, None])] = 2
        state[months >= procedure.ended[:, None]] = 0
    return state
