"""URSSAF's file of collective procedures: `sigfaible_pcoll.csv`."""

import numpy as np
import polars as pl

from sf_assets_dev.synthetic.procedures import LIQUIDATION, REDRESSEMENT, Procedure
from sf_assets_dev.synthetic.timeline import FIRST_DAYS, MONTHS, NEVER, Ints, Window, day_in_month, procol_dates
from sf_assets_dev.synthetic.world import Block

_ACTIONS = ("sauvegarde", "redressement", "liquidation")


def procol_frame(block: Block, window: Window) -> pl.DataFrame:
    """Return the rows of `sigfaible_pcoll.csv`: one per event and open establishment, from the start of the world.

    An event is published three to twenty-seven days after its judgment. One opening in forty is recorded twice, on two days.
    """
    parts = [steps_of(one) for one in (block.world.first, block.world.second)]
    company = np.concatenate([part[0] for part in parts])
    day = np.concatenate([part[1] for part in parts])
    delay = np.concatenate([part[3] for part in parts])
    label = pl.Series([text for part in parts for text in part[2]], dtype=pl.String)
    openings = label.str.starts_with("ouverture").to_numpy()
    again = np.flatnonzero(openings & ((7 * company + day) % 40 == 0))
    company, delay = np.concatenate((company, company[again])), np.concatenate((delay, delay[again]))
    day = np.concatenate((day, day[again] + 21))
    label = pl.concat([label, label.gather(again)])
    shown = np.flatnonzero(day + delay <= window.delivered)
    events = pl.DataFrame({"company": company[shown], "day": day[shown], "Lib_actx_stdx": label.gather(shown)})
    establishments = block.establishments
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
        block.companies.siren.gather(rows["company"]).alias("Siren"),
        procol_dates(rows["day"].to_numpy()).alias("Dt_effet"),
        pl.lit("1").alias("Cat_v2"),
        "Lib_actx_stdx",
    )


def steps_of(one: Procedure) -> tuple[Ints, Ints, list[str], Ints]:
    """Return the company, day, label and delay of publication of every event of the procedures."""
    company: list[Ints] = []
    day: list[Ints] = []
    published: list[Ints] = []
    label: list[str] = []
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
        ),
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
