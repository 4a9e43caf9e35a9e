"""Clean tables of paydex codes, the fifteen ratios and VAT returns, on values computed by hand."""

import pytest
from clean_world import World, fresh_world

from sf_assets.clean.occasional import TVA
from sf_assets.staging.tables import STAGING
from sf_assets.vocabulary.tax_fields import CA3_BOXES, CA12_BOXES

world = pytest.fixture(fresh_world, name="world")
SIREN = "400000001"

# ---- paydex


@pytest.mark.parametrize(
    ("code", "days"),
    [
        ("000", 180), ("010", 150), ("050", 30), ("051", 29), ("060", 22), ("061", 22), ("070", 15), ("079", 1),
        ("080", None), ("100", None), ("N", None), (None, None),
    ],
)  # fmt: skip
def test_a_paydex_code_is_converted_to_days_of_delay(world, code, days):
    world.add("stg_paydex", "siren date_valeur file_number line code_paydex", (SIREN, "2024-03-04", 1, 2, code))
    assert world.rows("clean_paydex", "paydex") == [(days,)]


def test_delivered_days_take_precedence_over_the_code(world):
    world.add("stg_paydex", "siren date_valeur line code_paydex paydex", (SIREN, "2024-03-04", 2, "060", 23))
    assert world.rows("clean_paydex", "paydex") == [(23,)]


def test_of_two_measures_on_one_day_the_last_file_counts_whatever_the_line(world):  # deviation B15
    columns = "siren date_valeur file_number line paydex"
    world.add("stg_paydex", columns, (SIREN, "2024-03-04", 2, 5, 1), (SIREN, "2024-03-04", 1, 90, 2))
    assert world.rows("clean_paydex", "paydex") == [(1,)]


# ---- ratios

KEY = "siren date_deb_exercice date_fin_exercice"
AMOUNTS = {
    "mnt_af_endettement_net": 30, "rto_6": 12, "rto_af_endettement_a_terme": 8, "mnt_af_sig_ebe_ret": 50_000,
    "mnt_af_ca": 1_000_000, "mnt_af_sig_va_ret": 400_000, "d_dvs_376_nbr_pers": 10, "d_cr_250_expl_salaire": 200_000,
    "d_cr_252_expl_ch_soc": 80_000, "d_cr_260_expl_dt_syndic": 40_000, "d_actf_stk_march_net": 70_000,
    "mnt_af_bfonc_actif_circ_expl": 300, "mnt_af_bfonc_actif_circ_h_expl": 100, "mnt_af_bfonc_passif_circ_expl": 120,
    "mnt_af_bfonc_passif_circ_h_expl": 40, "mnt_af_bfonc_tresorerie": 60, "rto_56": 0.9, "nbr_af_jours_reglt_fourn": 66,
    "nbr_af_jours_creance_cli": 30, "d_passf_142_k_propres": 500, "d_passf_120_k": 80, "mnt_af_bfonc_bfr": 225,
    "rto_invest_ca": 0.11, "rto_af_rent_eco": 0.22, "rto_af_solidite_financiere": 0.33,
}  # fmt: skip
_ASSETS = "mnt_af_bfonc_actif_circ_expl mnt_af_bfonc_actif_circ_h_expl"
_LIABILITIES = "mnt_af_bfonc_passif_circ_expl mnt_af_bfonc_passif_circ_h_expl"
# Ratio, its value, the amounts without which it is unknown, and the divisors that may not be zero.
RATIOS = (
    ("dette_nette_sur_caf", 2.5, "mnt_af_endettement_net rto_6", "rto_6"),
    ("dette_a_terme_sur_k_propres", 0.125, "rto_af_endettement_a_terme", "rto_af_endettement_a_terme"),
    ("ebe_sur_ca", 0.05, "mnt_af_sig_ebe_ret mnt_af_ca", "mnt_af_ca"),
    ("va_sur_effectif", 40_000, "mnt_af_sig_va_ret d_dvs_376_nbr_pers", "d_dvs_376_nbr_pers"),
    (
        "charges_personnel_sur_va",
        0.8,
        "d_cr_250_expl_salaire d_cr_252_expl_ch_soc d_cr_260_expl_dt_syndic mnt_af_sig_va_ret",
        "mnt_af_sig_va_ret",
    ),
    ("stocks_sur_ca", 0.07, "d_actf_stk_march_net mnt_af_ca", "mnt_af_ca"),
    (
        "liquidite_absolue",
        2.5,
        f"{_ASSETS} {_LIABILITIES}",
        _LIABILITIES,
    ),
    (
        "liquidite_generale",
        0.15,
        f"mnt_af_bfonc_tresorerie {_ASSETS}",
        _ASSETS,
    ),
    ("liquidite_reduite", 0.9, "rto_56", ""),
    (
        "delai_paiement_sur_delai_encaissement",
        2.2,
        "nbr_af_jours_reglt_fourn nbr_af_jours_creance_cli",
        "nbr_af_jours_creance_cli",
    ),
    ("k_propres_sur_k_social", 6.25, "d_passf_142_k_propres d_passf_120_k", "d_passf_120_k"),
    ("bfr_sur_k_propres", 0.45, "mnt_af_bfonc_bfr d_passf_142_k_propres", "d_passf_142_k_propres"),
    ("taux_investissement", 0.11, "rto_invest_ca", ""),
    ("rentabilite_economique", 0.22, "rto_af_rent_eco", ""),
    ("solidite_financiere", 0.33, "rto_af_solidite_financiere", ""),
)


def statement(
    world: World, amounts: dict[str, float], *, end: str = "2022-12-31", year: int = 2022, number: str = "1"
) -> None:
    """Add one statement to the three tables it is split in; each amount goes to the table that has its column."""
    for source in ("declarations_indmap", "declarations_af", "ratios_dirco"):
        own = {name: value for name, value in amounts.items() if name in STAGING[source].column_names}
        filing = {} if source == "ratios_dirco" else {"no_ocfi": number, "annee_exercice": year}
        row = (SIREN, f"{end[:4]}-01-01", end, *filing.values(), *own.values())
        world.add(f"stg_{source}", " ".join((KEY, *filing, *own)), row)


@pytest.mark.parametrize(("ratio", "value", "operands", "divisors"), RATIOS, ids=[ratio for ratio, *_ in RATIOS])
def test_a_ratio_is_computed_from_its_amounts_and_unknown_when_one_is_missing_or_the_divisor_is_zero(
    world, ratio, value, operands, divisors
):
    """Rules §9.6 without the division by days; an unknown amount gives an unknown ratio (deviation B17, trap 70)."""
    ends = iter(f"{year}-12-31" for year in range(2015, 2035))
    expected = {}
    for amounts, actual in (
        (AMOUNTS, value),
        *(({name: v for name, v in AMOUNTS.items() if name != operand}, None) for operand in operands.split()),
        *([(AMOUNTS | dict.fromkeys(divisors.split(), 0), None)] if divisors else []),
        ({name: AMOUNTS[name] for name in operands.split()}, value),
    ):
        end = next(ends)
        statement(world, amounts, end=end)
        expected[end] = actual
    for end, actual in world.rows("clean_ratios", f"date_fin_exercice, {ratio}"):
        assert actual == (expected[end] if expected[end] is None else pytest.approx(expected[end])), end


def test_every_ratio_of_the_table_is_tested(world):
    statement(world, AMOUNTS)
    world.build("clean_ratios")
    columns = [name for name, *_ in world.connection.execute("describe clean_ratios").fetchall()]
    assert [ratio for ratio, *_ in RATIOS] == columns[6:]


def test_the_statement_with_the_fewest_unknown_amounts_counts(world):
    # One statement lacks turnover, hence two ratios; the other lacks two amounts, hence one ratio.
    few = {name: value for name, value in AMOUNTS.items() if name != "mnt_af_ca"}
    many = {name: value for name, value in AMOUNTS.items() if not name.startswith("d_cr_25")}
    statement(world, few, number="9")
    statement(world, many, number="10", year=2023)
    assert world.rows("clean_ratios", "no_ocfi") == [("9",)]


def test_of_equally_complete_statements_the_latest_year_then_the_greatest_number_counts(world):
    for number, year in (("9", 2022), ("10", 2022), ("11", 2021)):
        statement(world, AMOUNTS, number=number, year=year)
    assert world.rows("clean_ratios", "annee_exercice, no_ocfi") == [(2022, "10")]


def test_a_year_that_closes_on_1_january_2014_is_left_out(world):
    for end in ("2014-01-01", "2014-01-02"):
        statement(world, AMOUNTS, end=end, year=2013)
    assert world.rows("clean_ratios", "date_fin_exercice") == [("2014-01-02",)]


# ---- VAT

RETURN = "siren date_deb_tva date_fin_tva date_depot"
CA3 = (SIREN, "2024-01-01", "2024-01-31", "2024-02-20")
CA12 = (SIREN, "2023-01-01", "2023-12-31", "2024-05-03")


def test_a_monthly_return_has_its_figures_and_its_deposit_date(world):
    boxes = {
        "01": 1000, "02": 20, "3c": 3, "2a": 4, "03": 5, "3a": 6, "3b": 7, "04": 11, "06": 12, "07": 13, "6a": 14,
        "7a": 15, "7b": 16, "05": 17, "08_btx196": 1, "08_b": 2, "9b_btx7": 3, "9b_b": 4, "15": 10, "16": 500, "7c": 1,
        "17": 2, "5b": 3, "19": 100, "20": 50, "21": 25, "22a": 80, "23": 175, "26": 8, "28": 9, "29": 10,
    }  # fmt: skip
    world.add("stg_tva_ca3", " ".join((RETURN, *(f"d3310_{box}" for box in boxes))), (*CA3, *boxes.values()))
    figures = (
        "siren, date_deb_tva, date_fin_tva, date_depot, d_tca_total, sum_tva_ni_btotal, sum_tva_bi_btotal, "
        "sum_tva_ni_bi_btotal, m_tva_bi_b0207_normal, m_tva_bi_b0151_reduit_10, sum_tva_col_total, "
        "d_tva_ded_total_hs_report, d_tva_ded_tx_coef_ded, m_tva_net_i8002_remb_dem, m_tva_net_due"
    )
    # Untaxed 11 + 12 + 13 + 14 + 15 + (16 + 17); taxed 1000 + (20 + 3) + 4 + 5 + 6 + 7; collected 500 - 10 - 1 - 2 - 3.
    assert world.rows("clean_tva", figures) == [(*CA3, 10, 98, 1045, 1143, 3, 7, 484, 175, 80, 8, 9)]


def test_a_yearly_return_has_the_same_figures(world):
    boxes = {
        "55_i": 10, "02_b": 11, "03_b": 17, "5a_b": 100, "06_b": 200, "6c_b": 300, "07_b": 1, "08_b": 2, "09_b": 3,
        "10_b": 4, "11_b": 5, "12_b": 6, "13_b": 7, "14_b": 8, "aa_b": 9, "ab_b": 10, "ac_b": 11, "16_i": 500, "18_i": 10,
        "aa_i": 1, "ab_i": 2, "ac_i": 3, "13_i": 4, "14_i": 5, "20_i": 30, "21_i": 20, "23_i": 100, "28_i": 9,
    }  # fmt: skip
    world.add("stg_tva_ca12", " ".join((RETURN, *(f"d3517s_{box}" for box in boxes))), (*CA12, *boxes.values()))
    figures = (
        "date_fin_tva, d_tca_total, sum_tva_ni_btotal, m_tva_bi_b0979_ca, m_tva_bi_b0981_autr_op_imp, sum_tva_bi_btotal, "
        "m_tva_bi_b0207_normal, d_tva_col_i0600_ant_ded, sum_tva_col_total, d_tva_col_i0031_aic, m_tva_ded_i0702_abs, "
        "d_tva_ded_total_hs_report, d_tva_ded_tx_coef_ded, m_tva_net_due"
    )
    # Base at the normal rate: 100 + 5 + 6 + 7 + 8 + 10 + 11 + 9; collected: 500 - 1 - 2 - 3 - 4 - 5.
    assert world.rows("clean_tva", figures) == [(CA12[2], 10, 28, 610, 18, 666, 156, 10, 485, 5, 50, 150, 100, 9)]


def test_every_box_is_used_by_a_figure(world):
    for source, prefix, boxes in (("tva_ca3", "d3310", CA3_BOXES), ("tva_ca12", "d3517s", CA12_BOXES)):
        for n, box in enumerate(boxes.split(), start=1):
            world.add(f"stg_{source}", f"{RETURN} {prefix}_{box}", (SIREN, "2024-01-01", "2024-01-31", None, n))
    sums = "d_tva_ded_tx_coef_ded % 100 + " + " + ".join(
        f"abs({c.name})" for c in TVA.columns if c.type == "DOUBLE" and not c.name.endswith("coef_ded")
    )
    assert all(total for (total,) in world.rows("clean_tva", sums))
    assert len(world.rows("clean_tva")) == len(CA3_BOXES.split()) + len(CA12_BOXES.split())


def test_returns_of_both_regimes_are_joined_only_when_all_shared_columns_are_equal(world):
    filing = f"{RETURN} no_ocfi mode_depot version_form"
    world.add("stg_tva_ca3", f"{filing} d3310_28", (*CA3, "1", "E", "A", 5), (*CA3, "2", "E", "A", 6))
    world.add("stg_tva_ca12", f"{filing} d3517s_28_i", (*CA3, "1", "E", "A", 100), (*CA3, "2", "E", "B", 200))
    assert world.rows("clean_tva", "m_tva_net_due") == [(6,), (105,), (200,)]


def test_returns_of_blacklisted_companies_are_left_out(world):
    world.add("stg_tva_ca3", RETURN, CA3)
    world.add("stg_tva_ca12", RETURN, CA12)
    world.blacklist(SIREN)
    assert world.rows("clean_tva") == []
