"""URSSAF's debts, payment plans and CCSF decisions: `sigfaible_debits`, `sigfaible_delais`, `sigfaible_ccsf`."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from sf_assets_dev.synthetic.activities import of_section
from sf_assets_dev.synthetic.places import PLACES
from sf_assets_dev.synthetic.population import PUBLIC, Companies, Establishments
from sf_assets_dev.synthetic.procedures import states
from sf_assets_dev.synthetic.timeline import (
    FIRST_DAYS,
    MONTHS,
    NEVER,
    PERIODS,
    QUARTERS,
    Flags,
    Floats,
    Ints,
    Window,
    dates,
    first_days,
    french_dates,
    urssaf_dates,
)  # fmt: skip
from sf_assets_dev.synthetic.urssaf import Contributions
from sf_assets_dev.synthetic.world import Block, World

# Extra probability that the contributions of a month stay unpaid, by the month they are due (Senate, 2020).
_MORATORIUM = {
    86: 0.050, 87: 0.070, 88: 0.058, 89: 0.036, 90: 0.012, 91: 0.012, 92: 0.012, 93: 0.014, 94: 0.034, 95: 0.032,
    96: 0.015, 97: 0.012, 98: 0.010, 99: 0.008,
}  # fmt: skip
_WRITTEN_OFF, _PAID, _RECOVERY = 5, 2, 1
_MOTIVES = np.asarray([2, 24, 25, 1, 3])


@dataclass(frozen=True, slots=True)
class Debts:
    """Contributions left unpaid, one item per account and month; amounts in cents.

    `begins` is the day of the first event; the debt is cleared `lasts` months later, never when `NEVER`, by payment or,
    when `written_off`, with the end of a liquidation. `plan_days` is the length of the payment plan, 0 without one.
    """

    account: Ints
    month: Ints
    worker: Ints
    employer: Ints
    begins: Ints
    lasts: Ints
    written_off: Ints
    plan_begins: Ints
    plan_days: Ints
    noise: Ints

    def unpaid(self, shape: tuple[int, int]) -> Ints:
        """Return the unpaid amount of each account and month, in cents."""
        amounts = np.zeros(shape, dtype=np.int64)
        amounts[self.account, self.month] = self.worker + self.employer
        return amounts


def draw_debts(block: Block, contributions: Contributions) -> Debts:
    """Draw which contributions stay unpaid, how much of them and for how long."""
    rng = block.generator("debts")
    companies, establishments, world = block.companies, block.establishments, block.world
    due = contributions.due
    pressure = _pressure(rng, companies, world)
    company = establishments.company
    crisis = np.zeros(MONTHS, dtype=np.float32)
    for due_month, extra in _MORATORIUM.items():
        crisis[due_month - 1] = extra
    hit = of_section("crisis")[companies.section] * 2.0
    chance = 1 / (1 + np.exp(6.5 - 1.8 * pressure)) + crisis * np.clip(hit, 0.6, 1.5)[:, None]
    state = states(world.first, world.second)
    chance = np.where(state > 0, chance * 0.35, chance)
    chance[companies.kind == PUBLIC] *= 0.02
    account: Ints
    month: Ints
    account, month = np.nonzero((rng.random(due.shape, dtype=np.float32) < chance[company]) & (due > 0))
    level = pressure[company[account], month]
    count = len(account)

    moratorium = rng.random(count) < crisis[month] / chance[company[account], month]
    severe = (rng.random(count) < 1 / (1 + np.exp(0.8 - 0.8 * level))) | moratorium
    fraction = np.where(
        severe, np.where(rng.random(count) < 0.6, 1.0, rng.uniform(0.3, 1.0, count)), rng.uniform(0.05, 0.7, count)
    )
    owed = due[account, month] * fraction
    worker_share = np.where(severe & (rng.random(count) < 0.5), 0.36, np.where(rng.random(count) < 0.5, 0.0, 0.2))
    worker = np.rint(owed * worker_share).astype(np.int64)
    employer = np.maximum(np.rint(owed).astype(np.int64) - worker, 100)
    begins = FIRST_DAYS[month + 1] + rng.integers(16, 42, count)
    lasts = np.where(severe, 1 + rng.geometric(1 / (6 + 3 * np.clip(level, 0, 4))), rng.integers(1, 4, count))
    lasts = np.where(moratorium, lasts + rng.integers(2, 14, count), lasts)

    planned = (
        (lasts >= 3) & (rng.random(count) < np.where(moratorium, 0.35, 0.22)) & (state[company[account], month] == 0)
    )
    days = np.clip(np.exp(np.log(153) + 1.02 * rng.standard_normal(count)), 20, 1500).astype(np.int64)
    plan_begins = begins + rng.integers(10, 60, count)
    respected = rng.random(count) < 0.80
    in_time = np.ceil((plan_begins + days - begins) / 30.4).astype(np.int64)
    lasts = np.where(planned, np.where(respected, in_time, in_time + lasts), lasts)
    lasts, written_off = _frozen(rng, world, company[account], month, lasts)
    return Debts(
        account=account, month=month, worker=worker, employer=employer, begins=begins, lasts=lasts,
        written_off=written_off, plan_begins=plan_begins, plan_days=np.where(planned, days, 0),
        noise=rng.integers(0, 1 << 40, count),
    )  # fmt: skip


def _pressure(rng: np.random.Generator, companies: Companies, world: World) -> Floats:
    """Return how short of cash each company is: what is hidden, blurred by habits; (companies, months)."""
    habit = rng.normal(0.0, 0.5, len(companies)).astype(np.float32)
    slow = 0.65 * world.luck + 2.6 * world.crisis
    return (1.15 * world.strain + slow + habit[:, None]).astype(np.float32)


def _frozen(rng: np.random.Generator, world: World, company: Ints, month: Ints, lasts: Ints) -> tuple[Ints, Ints]:
    """Return durations and write-offs once procedures are known: older debts cannot be paid after a judgment."""
    first = world.first
    opened = first.opened[company]
    caught = (month < opened) & (month + 1 + lasts >= opened)
    wait = rng.integers(3, 30, len(company))
    by_plan = np.where(first.planned[company] < NEVER, first.planned[company] + wait, NEVER)
    by_plan = np.where(by_plan >= first.liquidated[company], NEVER, by_plan)
    by_end = np.minimum(by_plan, np.minimum(first.settled[company], first.ended[company]))
    frozen = np.where(by_end < NEVER, by_end - month - 1, NEVER)
    after = (month >= opened) & (month + 1 + lasts >= first.liquidated[company])
    settled = np.where(first.settled[company] < NEVER, first.settled[company] - month - 1, NEVER)
    late = np.where(caught, np.maximum(frozen, 1), np.where(after, np.maximum(settled, 1), lasts))
    # Companies that close without a procedure pay their debts, or leave them unpaid for a year until they are written off.
    gone = (world.closed[company] < NEVER) & (month + 1 + lasts > world.closed[company])
    late = np.where(gone & (wait % 3 == 0), lasts + 12, late)
    off = ((caught | after) & (first.settled[company] < NEVER)) | (gone & (wait % 3 == 0))
    return late, off.astype(np.int64)


def debit_frame(block: Block, contributions: Contributions, debts: Debts, window: Window) -> pl.DataFrame:
    """Return the rows of `sigfaible_debits.csv`: one per event, for debts whose period is in the window."""
    companies, establishments, world = block.companies, block.establishments, block.world
    kept = np.flatnonzero((debts.month >= window.first) & (debts.begins <= window.delivered))
    horizon = (window.delivered - debts.begins[kept]) // 30 + 1
    steps = np.minimum(debts.lasts[kept], np.maximum(horizon, 0)).astype(np.int64)
    item = np.repeat(kept, steps + 1)
    step = np.arange(len(item)) - np.repeat(np.cumsum(steps + 1) - steps - 1, steps + 1)
    last = step == debts.lasts[item]
    # Half of the months bring a payment; a plan brings one every month.
    pays = ((debts.noise[item] >> (step % 40)) & 1).astype(bool) | (debts.plan_days[item] > 0)
    frozen = debts.written_off[item] == 1
    shown = (step == 0) | last | (pays & ~frozen & (debts.lasts[item] < NEVER))
    day = debts.begins[item] + step * 30 + (debts.noise[item] >> step % 30) % 3
    shown &= day <= window.delivered
    item, step, last, day = item[shown], step[shown], last[shown], day[shown]
    left = np.where(
        last, 0.0, 1.0 - step / np.maximum(debts.lasts[item], 1) * np.where(debts.lasts[item] < NEVER, 0.9, 0.0)
    )
    rank = np.arange(len(item))
    starts = np.flatnonzero(step == 0)
    rank = rank - np.repeat(starts, np.diff(np.append(starts, len(item)))) + 1
    account = debts.account[item]
    operation = np.where(step == 0, _RECOVERY, np.where(last & (debts.written_off[item] == 1), _WRITTEN_OFF, _PAID))
    company = establishments.company[account]
    # URSSAF learns of a judgment with a delay: the code is the state of the month before.
    before = np.clip(np.searchsorted(FIRST_DAYS, day, side="right") - 2, 0, MONTHS - 1)
    situation = states(world.first, world.second)[company, before]
    period = pl.Series(PERIODS + QUARTERS).gather(
        debts.month[item] + np.where(contributions.quarterly[account], MONTHS, 0)
    )
    births = dates(first_days(companies.birth)).dt.strftime("%Y%m%d")
    return pl.DataFrame(
        [
            pl.Series("Urssaf_gestion", ["117"]).new_from_index(0, len(item)),
            PLACES.departement.gather(establishments.place[account]).alias("Dep"),
            establishments.account.gather(account).alias("num_cpte"),
            companies.siren.gather(company).alias("Siren"),
            establishments.siret.gather(account).alias("Siret"),
            births.gather(company).alias("Dt_immat"),
            pl.Series("Etat_cpte", np.where(day > FIRST_DAYS[np.minimum(world.ceases[company], MONTHS)], 3, 1)),
            pl.Series("Cd_pro_col", situation),
            period.alias("Periode"),
            pl.Series("Num_Ecn", 101 + debts.month[item] % 3),
            pl.Series("Num_Hist_Ecn", rank),
            pl.Series("Dt_trt_ecn", urssaf_dates(day)),
            pl.Series("Mt_PO", np.rint(debts.worker[item] * left).astype(np.int64)),
            pl.Series("Mt_PP", np.rint(debts.employer[item] * left).astype(np.int64)),
            pl.Series("Cd_op_ecn", operation),
            pl.Series("Motif_ecn", _MOTIVES[debts.noise[item] % 5]),
            pl.Series("Recours_en_cours", (debts.noise[item] % 61 == 0).astype(np.int64)),
        ]
    )


def delai_frame(establishments: Establishments, debts: Debts, window: Window) -> pl.DataFrame:
    """Return the rows of `sigfaible_delais.csv`: one per payment plan created in the window.

    One plan in twenty is followed half-way by a second one, with its own date and the same length.
    """
    planned = np.flatnonzero(debts.plan_days > 0)
    again = planned[debts.noise[planned] // 100 % 20 == 0]
    item = np.concatenate((planned, again))
    is_again = np.arange(len(item)) >= len(planned)
    begins = debts.plan_begins[item] + np.where(is_again, debts.plan_days[item] // 2, 0)
    created = (begins >= window.first_day) & (begins <= window.delivered)
    item, begins, is_again = item[created], begins[created], is_again[created]
    account, days = debts.account[item], debts.plan_days[item]
    fate = debts.noise[item] % 100
    created_on = french_dates(begins)
    return pl.DataFrame(
        [
            pl.Series("Urssaf_gestion", ["117"]).new_from_index(0, len(item)),
            PLACES.departement.gather(establishments.place[account]).alias("Dep"),
            establishments.siret.gather(account).alias("Siret"),
            establishments.account.gather(account).alias("Numero_compte_externe"),
            pl.Series("Numero_structure", ["absent"]).new_from_index(0, len(item)),
            created_on.alias("Date_creation"),
            french_dates(begins + days).alias("Date_echeance"),
            pl.Series("Duree_delai", days),
            pl.Series("Denomination_premiere_ligne", ["absent"]).new_from_index(0, len(item)),
            pl.Series("Indic_6M", np.where(days > 183, "SUP", "INF")),
            created_on.str.slice(6).alias("Annee_creation"),
            pl.Series("Montant_global_echeancier", (debts.worker[item] + debts.employer[item]) / 100.0),
            pl.Series("Code_externe_stade", _stages(fate, is_again)),
            pl.Series("Code_externe_action", np.where(fate % 20 == 0, "CCSF", "SUR PO")),
        ]
    )


def _stages(fate: Ints, is_again: Flags) -> npt.NDArray[np.str_]:
    return np.where(is_again | (fate >= 88), "PRO PR", np.where(fate < 76, "APPROB", "PR"))


def ccsf_frame(establishments: Establishments, debts: Debts, window: Window) -> pl.DataFrame:
    """Return the rows of `sigfaible_ccsf.csv`: the steps of the few plans agreed with the financial services."""
    found = np.flatnonzero((debts.plan_days > 0) & (debts.noise % 100 % 20 == 0))
    steps = (("DEBUT", debts.plan_begins[found]), ("APPROB", debts.plan_begins[found] + 20),
             ("FIN", debts.plan_begins[found] + 20 + debts.plan_days[found]))  # fmt: skip
    parts = []
    for stage, day in steps:
        kept = (day >= window.first_day) & (day <= window.delivered)
        account = debts.account[found[kept]]
        parts.append(
            pl.DataFrame(
                [
                    establishments.siret.gather(account).alias("Siret"),
                    establishments.account.gather(account).alias("Compte"),
                    pl.Series("Date_de_traitement", urssaf_dates(day[kept])),
                    pl.Series("Code_externe_stade", [stage]).new_from_index(0, len(account)),
                    pl.Series("Code_externe_action", ["CCSF"]).new_from_index(0, len(account)),
                ]
            )
        )
    return pl.concat(parts)
