"""Yearly accounts: the statements filed with the tax administration, and the ratios published from them."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from sf_assets_dev.synthetic.activities import SECTIONS, of_section
from sf_assets_dev.synthetic.population import FOREIGN, NATURAL, PUBLIC, Companies
from sf_assets_dev.synthetic.timeline import MONTHS, NEVER, WORLD_START, Flags, Floats, Ints, Window, dates, first_days
from sf_assets_dev.synthetic.world import Block

_EXERCISES = MONTHS // 12
_LETTERS = tuple(section.letter for section in SECTIONS)
_STOCKS = {"C": 0.12, "G": 0.14, "F": 0.04, "A": 0.15}


@dataclass(frozen=True, slots=True)
class Statements:
    """Accounts filed, one item per company and fiscal year, in euros; `begins`, `ends`, `filed` are days since 1970.

    `balance`, `income` and `working` are whether each part was filled in; `filing` numbers the filings of a year from 0.
    """

    company: Ints
    begins: Ints
    ends: Ints
    filed: Ints
    year: Ints
    staff: Floats
    turnover: Floats
    value_added: Floats
    salaries: Floats
    charges: Floats
    ebe: Floats
    stocks: Floats
    customers: Floats
    suppliers: Floats
    customer_days: Floats
    supplier_days: Floats
    equity: Floats
    capital: Floats
    debt: Floats
    treasury: Floats
    investment: Floats
    balance: Flags
    income: Flags
    working: Flags
    noise: Ints
    filing: Ints


def draw_statements(block: Block) -> Statements:
    """Draw one set of accounts per company and fiscal year, filed 4 to 10 months later; weaker companies file later."""
    rng = block.generator("accounts")
    companies, world = block.companies, block.world
    total = len(companies)
    shape = (total, _EXERCISES)
    closing = np.asarray([12, 12, 12, 12, 12, 12, 12, 9, 6, 3])[rng.integers(0, 10, total)]
    last = np.arange(_EXERCISES) * 12 + closing[:, None] - 1
    opening = np.maximum(last - 11, companies.birth[:, None])
    alive = np.take_along_axis(world.alive, last, axis=1) & (last - opening >= 4) & (last >= 11)
    strain = _yearly_mean(world.strain, last) + 0.8 * np.take_along_axis(world.crisis, last, axis=1)
    lag = 115 + 185 * rng.beta(2.0, 2.5, shape) + 18 * np.clip(strain, 0, 3)
    ends = first_days(last + 1) - 1
    filed = ends + lag.astype(np.int64)
    company_files = rng.random(total) < np.where(companies.perimeter, 0.94, 0.6)
    company_files &= ~np.isin(companies.kind, (PUBLIC, NATURAL, FOREIGN))
    skipped = rng.random(shape) < 0.03 + 0.02 * np.clip(strain, 0, 3)
    failed_before = filed > first_days(np.minimum(world.first.opened, MONTHS))[:, None]
    skipped |= failed_before & (world.first.opened < NEVER)[:, None] & (rng.random(shape) < 0.6)

    own = rng.standard_normal((total, 6))
    row, column = np.nonzero(alive & company_files[:, None] & ~skipped)
    pick = (row, column)
    noise = rng.standard_normal((6, *shape))[:, row, column]
    drift, mine = strain[pick], own[row].T
    section = companies.section[row]
    staff = np.maximum(_yearly_mean(world.headcount, last)[pick], 1.0)
    inflation = 1.02**column
    salaries = staff * companies.wage[row] * 12 * inflation * np.exp(0.05 * noise[0])
    charges = salaries * 0.38
    productive = np.exp(0.40 * mine[0] + 0.08 * noise[1] - 0.03 * drift)
    turnover = np.maximum(staff * of_section("turnover")[section] * 1000 * productive * inflation, salaries * 1.25)
    margin = of_section("margin")[section] + 0.035 * mine[1] - 0.045 * drift + 0.025 * noise[2]
    ebe = turnover * margin
    value_added = salaries + charges + ebe + 0.02 * turnover
    stock_share = np.asarray([_STOCKS.get(letter, 0.015) for letter in _LETTERS])[section]
    customer_days = np.clip(45 + 15 * mine[2] + 6 * noise[3], 2, 200)
    supplier_days = np.clip(48 + 12 * mine[3] + 11 * drift + 8 * noise[4], 5, 300)
    share = 0.28 + 0.10 * mine[4] - 0.150 * drift + 0.04 * noise[5]
    filled = rng.random((3, *shape))[:, row, column]
    return Statements(
        company=row, begins=first_days(opening)[pick], ends=ends[pick], filed=filed[pick],
        year=WORLD_START.year + column, staff=np.rint(staff), turnover=turnover, value_added=value_added,
        salaries=salaries, charges=charges, ebe=ebe, stocks=turnover * stock_share * np.exp(0.3 * mine[5]),
        customers=turnover * 1.2 * customer_days / 365, suppliers=(turnover - salaries) * 0.9 * supplier_days / 365,
        customer_days=customer_days, supplier_days=supplier_days, equity=turnover * share,
        capital=1000 * np.exp(3.2 + 0.9 * own[row, 5]),
        debt=turnover * np.clip(0.14 + 0.08 * mine[5] + 0.035 * drift, 0, None),
        treasury=turnover * (0.09 + 0.04 * mine[4] - 0.065 * drift + 0.03 * noise[4]),
        investment=np.clip(0.04 + 0.02 * mine[5] - 0.006 * drift + 0.01 * noise[3], 0, None),
        balance=filled[0] > 0.03, income=filled[1] > 0.10, working=filled[2] > 0.31,
        noise=rng.integers(0, 1 << 40, shape)[pick], filing=np.zeros(len(row), dtype=np.int64),
    )  # fmt: skip


def _yearly_mean(values: Floats | Ints, last: Ints) -> Floats:
    """Return the mean of twelve months ending with the months `last`, shape of `last`."""
    cumulated = np.pad(np.cumsum(values, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    upper = np.take_along_axis(cumulated, last + 1, axis=1)
    lower = np.take_along_axis(cumulated, np.maximum(last - 11, 0), axis=1)
    mean: Floats = (upper - lower) / 12
    return mean


def _shown(statements: Statements, window: Window) -> Ints:
    return np.flatnonzero((statements.filed <= window.delivered) & (statements.ends >= window.first_day))


def _column(name: str, values: Floats, known: Flags, row: Ints, decimals: int = 0) -> pl.Series:
    rounded = np.where(known, np.round(values, decimals), np.nan)[row]
    series = pl.Series(name, rounded, dtype=pl.Float64).fill_nan(None)
    return series.cast(pl.Int64) if decimals == 0 else series


def statement_frames(
    companies: Companies, statements: Statements, window: Window
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the rows of `declarations_indmap`, `declarations_af` and `ratios_dirco`, one per statement filed, in that order."""
    s = statements
    row = _shown(s, window)
    everything = np.ones(len(s.company), dtype=bool)
    key = [
        companies.siren.gather(s.company[row]).alias("siren"),
        dates(s.begins[row]).alias("date_deb_exercice"),
        dates(s.ends[row]).alias("date_fin_exercice"),
    ]
    filing = [
        pl.Series("no_ocfi", s.noise[row] % 10**9 + 10**9 * (1 + s.filing[row])),
        pl.Series("annee_exercice", s.year[row]),
    ]
    tangible = np.maximum(s.equity + s.debt, 0.02 * s.turnover)
    current = s.stocks + s.customers
    other = 0.03 * s.turnover
    owed = s.suppliers + 0.25 * s.charges
    indmap = [
        *key, *filing, dates(s.filed[row]).alias("date_depot"),
        _column("d_dvs_376_nbr_pers", s.staff, everything, row),
        _column("d_cr_250_expl_salaire", s.salaries, s.income, row),
        _column("d_cr_252_expl_ch_soc", s.charges, s.income, row),
        _column("d_cr_260_expl_dt_syndic", s.salaries * 0.001, s.income & (s.noise % 4 == 0), row),
        _column("d_actf_stk_march_net", s.stocks, s.balance, row),
        _column("d_actf_stk_mat1e_net", s.stocks * 0.3, s.balance & (s.noise % 3 == 0), row),
        _column("d_passf_142_k_propres", s.equity, s.balance, row),
        _column("d_passf_120_k", s.capital, s.balance, row),
        _column("rto_invest_ca", s.investment, s.income, row, 4),
        _column("rto_af_solidite_financiere", s.equity / (tangible + owed), s.balance, row, 4),
    ]  # fmt: skip
    af = [
        *key, *filing,
        _column("mnt_af_endettement_net", s.debt - s.treasury, s.balance, row),
        _column("rto_af_endettement_a_terme", s.debt / np.where(np.abs(s.equity) < 1, 1, s.equity), s.balance, row, 4),
        _column("mnt_af_sig_ebe_ret", s.ebe, s.income, row),
        _column("mnt_af_ca", s.turnover, s.income, row),
        _column("mnt_af_sig_va_ret", s.value_added, s.income, row),
        _column("mnt_af_bfonc_actif_circ_expl", current, s.working, row),
        _column("mnt_af_bfonc_actif_circ_h_expl", other, s.working, row),
        _column("mnt_af_bfonc_passif_circ_expl", owed, s.working, row),
        _column("mnt_af_bfonc_passif_circ_h_expl", other * 0.8, s.working, row),
        _column("mnt_af_bfonc_tresorerie", s.treasury, s.working, row),
        _column("nbr_af_jours_reglt_fourn", s.supplier_days, s.income, row, 1),
        _column("nbr_af_jours_creance_cli", s.customer_days, s.income, row, 1),
        _column("mnt_af_bfonc_bfr", current + other * 0.2 - owed, s.working, row),
        _column("rto_af_rent_eco", s.ebe * 0.7 / tangible, s.balance & s.income, row, 4),
    ]  # fmt: skip
    dirco = [
        *key,
        _column("rto_6", s.ebe * 0.75 - s.debt * 0.03, s.income, row),
        _column("rto_56", (s.customers + s.treasury) / owed, s.balance, row, 4),
    ]
    audited = pl.Series(s.noise[row] % 50 != 0)
    return pl.DataFrame(indmap), pl.DataFrame(af), pl.DataFrame(dirco).filter(audited)


def inpi_frame(companies: Companies, statements: Statements, window: Window) -> pl.DataFrame:
    """Return the rows of `ratios_inpi_bce.csv.gz`: public accounts, and consolidated ones beside them.

    As in the real file, one date in four thousand has a wrong century and one turnover in five thousand is absurd.
    """
    s = statements
    shown = _shown(s, window)
    full = s.turnover > 6e6
    # The file has no filing date and one record per kind of accounts: accounts filed again replace simplified ones.
    public = shown[(companies.number[s.company[shown]] % 10 < 7) & ((s.filing[shown] == 0) | ~full[shown])]
    large = (companies.size[s.company[public]] > 200) & (companies.number[s.company[public]] % 3 == 0)
    group = public[large & (s.filing[public] == 0)]
    row = np.concatenate((public, group))
    consolidated = np.arange(len(row)) >= len(public)
    scale = np.where(consolidated, 1.35, 1.0)
    known = np.ones(len(s.company), dtype=bool)
    turnover = s.turnover[row] * scale * np.where(s.noise[row] % 5003 == 0, 1e6, 1.0)
    days = pl.DataFrame({"day": dates(s.ends[row]).cast(pl.String), "typo": s.noise[row] % 4001 == 0})
    typed = pl.when("typo").then(pl.lit("19") + pl.col("day").str.slice(2)).otherwise("day")
    closing = days.select(typed.alias("date_cloture_exercice"))
    tangible = np.maximum(s.equity + s.debt, 0.02 * s.turnover)
    owed = s.suppliers + 0.25 * s.charges
    result = s.ebe * 0.75 - s.debt * 0.03
    working = s.stocks + s.customers - owed
    kind = np.where(consolidated, "K", np.where(full[row] | (s.filing[row] > 0), "C", "S"))
    return pl.DataFrame(
        [
            companies.siren.gather(s.company[row]).alias("siren"),
            closing.to_series(),
            pl.Series("chiffre_d_affaires", np.rint(turnover).astype(np.int64)),
            pl.Series("marge_brute", np.rint((s.turnover - s.suppliers)[row] * scale).astype(np.int64)),
            pl.Series("ebe", np.rint(s.ebe[row] * scale).astype(np.int64)),
            pl.Series("ebit", np.rint(s.ebe[row] * 0.8 * scale).astype(np.int64)),
            pl.Series("resultat_net", np.rint(result[row] * scale).astype(np.int64)),
            _column("taux_d_endettement", 100 * s.debt / tangible, s.balance, row, 3),
            _column("ratio_de_liquidite", 100 * (s.stocks + s.customers) / owed, s.balance, row, 3),
            _column("ratio_de_vetuste", 20 + 40 * s.investment / 0.04, s.balance & full, row, 3),
            _column("autonomie_financiere", 100 * s.equity / (tangible + owed), s.balance, row, 3),
            _column("poids_bfr_exploitation_sur_ca", 100 * working / s.turnover, s.working, row, 3),
            _column("couverture_des_interets", 100 * s.debt * 0.03 / np.maximum(np.abs(s.ebe), 1), s.income, row, 3),
            _column("caf_sur_ca", 100 * result / s.turnover, s.income, row, 3),
            _column("capacite_de_remboursement", s.debt / np.maximum(np.abs(result), 1), s.income, row, 3),
            _column("marge_ebe", 100 * s.ebe / s.turnover, known, row, 3),
            _column(
                "resultat_courant_avant_impots_sur_ca",
                100 * (s.ebe * 0.8 - s.debt * 0.03) / s.turnover,
                s.income,
                row,
                3,
            ),
            _column("poids_bfr_exploitation_sur_ca_jours", 360 * working / s.turnover, s.working, row, 3),
            _column("rotation_des_stocks_jours", 360 * s.stocks / s.turnover, s.balance, row, 3),
            _column("credit_clients_jours", s.customer_days, full, row, 3),
            _column("credit_fournisseurs_jours", s.supplier_days, full, row, 3),
            pl.Series("type_bilan", kind),
            pl.Series("confidentiality", np.where(s.noise[row] % 4 == 0, "Partiellement confidentiel", "Public")),
        ]
    )
