"""What follows a failure: the stages of collective procedures, and URSSAF's file of them (`sigfaible_pcoll.csv`)."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from sf_assets.synthetic.population import Companies, Establishments
from sf_assets.synthetic.timeline import FIRST_DAYS, MONTHS, NEVER, Flags, Ints, Window, day_in_month, procol_dates

SAUVEGARDE, REDRESSEMENT, LIQUIDATION = range(3)
_ACTIONS = ("sauvegarde", "redressement", "liquidation")


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure at most per company, as month indices (`NEVER` when it does not happen).

    `kind` is that of the opening; `converted` the month a sauvegarde becomes a redressement; `ended` the month the
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


def no_procedure(total: int) -> Procedure:
    """Return procedures that never open."""
    never = np.full(total, NEVER)
    return Procedure(
        never, np.zeros(total, dtype=np.int64), never, never, never, never, never, np.zeros(total, dtype=np.int64)
    )


def after_failure(rng: np.random.Generator, opened: Ints, companies: Companies) -> Procedure:
    """Draw the kind of procedure and its stages for companies that fail in month `opened`.

    Liquidations are the more frequent the smaller the company; two redressements out of three end in liquidation,
    half of all before any plan.
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
    converted = later(opened, 3, 12, (kind == SAUVEGARDE) & (fate < 0.15))  # noqa: PLR2004
    lost = np.where(kind == REDRESSEMENT, fate < 0.50, fate < 0.30) & (kind != LIQUIDATION)
    planned = later(opened, 6, 18, ~lost & (kind != LIQUIDATION) & (fate < 0.93))  # noqa: PLR2004
    broken = later(planned, 6, 48, rng.random(total) < np.where(kind == REDRESSEMENT, 0.34, 0.20))
    liquidated = np.where(failed & (kind == LIQUIDATION), opened, NEVER)
    liquidated = np.minimum(liquidated, later(opened, 2, 14, lost))
    liquidated = np.where(lost & (converted < NEVER), np.maximum(liquidated, converted + 1), liquidated)
    liquidated = np.minimum(liquidated, broken)
    ended = np.minimum(later(planned, 24, 110, broken == NEVER), later(opened, 8, 18, ~lost & (fate >= 0.93)))  # noqa: PLR2004
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
    for one in (first, second):
        state[months >= one.opened[:, None]] = 1
        state[(months >= one.planned[:, None]) & (months < one.liquidated[:, None])] = 2
        state[months >= one.ended[:, None]] = 0
    return state


def _events(one: Procedure) -> tuple[Ints, Ints, list[str], Ints]:
    company, day, label, published = [], [], [], []
    action = np.where(one.converted < NEVER, REDRESSEMENT, one.kind)
    stages = (
        ("ouverture", one.opened, one.kind, 0),
        ("ouverture", one.converted, np.full(len(action), REDRESSEMENT), 1),
        ("plan_continuation", one.planned, action, 2),
        ("ouverture", np.where(one.kind == LIQUIDATION, NEVER, one.liquidated), np.full(len(action), LIQUIDATION), 3),
        (
            "inclusion_autre_procedure",
            np.where((one.kind == LIQUIDATION) | (one.draw % 10 > 2), NEVER, one.liquidated),
            action,
            3,
        ),  # noqa: PLR2004
        ("fin_procedure", one.ended, action, 4),
        ("solde_procedure", np.where(one.draw % 2 == 0, one.ended, NEVER), action, 5),
        ("cloture_insuffisance_actif", one.settled, np.full(len(action), LIQUIDATION), 6),
        ("solde_procedure", np.where(one.draw % 3 == 0, one.settled, NEVER), np.full(len(action), LIQUIDATION), 7),
    )
    for stage, months, of_action, rank in stages:
        found = np.flatnonzero(months < MONTHS)
        digit = (one.draw[found] >> (4 * rank)) % 1000
        company.append(found)
        day.append(day_in_month(months[found], (digit / 1000).astype(np.float32)))
        published.append(3 + digit % 25)
        label.extend(f"{stage}_{_ACTIONS[kind]}" for kind in of_action[found])
    return np.concatenate(company), np.concatenate(day), label, np.concatenate(published)


def procol_frame(
    first: Procedure, second: Procedure, companies: Companies, establishments: Establishments, window: Window
) -> pl.DataFrame:
    """Return the rows of `sigfaible_pcoll.csv`: one per event and open establishment, from the start of the world.

    An event shows three to twenty-seven days after its judgment.
    """
    parts = [_events(one) for one in (first, second)]
    company = np.concatenate([part[0] for part in parts])
    day = np.concatenate([part[1] for part in parts])
    delay = np.concatenate([part[3] for part in parts])
    label = pl.Series([text for part in parts for text in part[2]], dtype=pl.String)
    shown = np.flatnonzero(day + delay <= window.delivered)
    events = pl.DataFrame({"company": company[shown], "day": day[shown], "Lib_actx_stdx": label.gather(shown)})
    known = np.flatnonzero(establishments.in_sirene & establishments.staffed)
    sirets = pl.DataFrame(
        {
            "company": establishments.company[known],
            "Siret": establishments.siret.gather(known),
            "opens": FIRST_DAYS[np.clip(establishments.opens[known], 0, MONTHS)],
            "closes": FIRST_DAYS[np.clip(establishments.closes[known], 0, MONTHS)],
        }
    )
    rows = (
        events.sort("company", "day", maintain_order=True)
        .join(sirets, on="company", maintain_order="left_right")
        .filter(pl.col("day") >= pl.col("opens"), pl.col("day") < pl.col("closes"))
    )
    return rows.select(
        "Siret",
        companies.siren.gather(rows["company"]).alias("Siren"),
        procol_dates(rows["day"].to_numpy()).alias("Dt_effet"),
        pl.lit("1").alias("Cat_v2"),
        "Lib_actx_stdx",
    )
