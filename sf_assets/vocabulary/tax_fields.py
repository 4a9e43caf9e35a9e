"""Columns of the VAT returns: their boxes as declared, and the totals computed from them (rules §9.11).

A column of a return is named after its form, then its box; `_b` is the base, `_i` the tax. The names of the boxes are
inferred from the short codes of rules §9.11: `3310_x` is `d3310_x`, `17_x` is `d3517s_x`.
"""

from sf_assets.vocabulary.schema import Column

CA3_BOXES = (
    "01 02 03 04 05 06 07 08_b 08_btx196 09_b 10_b 11_b 13_b 14_b 15 16 17 19 20 21 22a 23 24 26 28 29 2a 3a 3b 3c 5b 6a "
    "7a 7b 7c 9b_b 9b_btx7"
)
CA12_BOXES = (
    "01_b 02_b 03_b 04_b 06_b 07_b 08_b 09_b 10_b 11_b 12_b 13_b 13_i 14_b 14_i 16_i 18_i 20_i 21_i 23_i 25_i 25a_tx_ded "
    "26_i 27_i 28_i 4b_b 4d_b 50_i 55_i 5a_b 6c_b aa_b aa_i ab_b ab_i ac_b ac_i"
)
_RATES = {"22a", "25a_tx_ded"}

FIGURES = (
    Column("d_tca_total", "DOUBLE", "other taxes declared with VAT", unit="€"),
    Column("d_tva_ni_b0032_export", "DOUBLE", "untaxed: exports", unit="€"),
    Column("d_tva_ni_b0034_lic", "DOUBLE", "untaxed: deliveries within the Union", unit="€"),
    Column("d_tva_ni_b0037_ach_frch", "DOUBLE", "untaxed: purchases free of tax", unit="€"),
    Column("d_tva_ni_b0029_liv_el_gaz", "DOUBLE", "untaxed: deliveries of electricity and gas", unit="€"),
    Column("d_tva_ni_b0043_assjt_hs_fr", "DOUBLE", "untaxed: sales by a company taxed outside France", unit="€"),
    Column("m_tva_ni_b0033_autr_op_ni", "DOUBLE", "untaxed: other operations", unit="€"),
    Column("sum_tva_ni_btotal", "DOUBLE", "untaxed: all operations", unit="€"),
    Column("m_tva_bi_b0979_ca", "DOUBLE", "taxed: sales and services", unit="€"),
    Column("m_tva_bi_b0981_autr_op_imp", "DOUBLE", "taxed: other operations", unit="€"),
    Column("d_tva_bi_b0044_ach_ps_ic", "DOUBLE", "taxed: services bought within the Union", unit="€"),
    Column("d_tva_bi_b0031_aic", "DOUBLE", "taxed: goods bought within the Union", unit="€"),
    Column("d_tva_bi_b0030_liv_el_gaz", "DOUBLE", "taxed: deliveries of electricity and gas", unit="€"),
    Column("d_tva_bi_b0040_assjt_hs_fr", "DOUBLE", "taxed: purchases from a company outside France", unit="€"),
    Column("sum_tva_bi_btotal", "DOUBLE", "taxed: all operations", unit="€"),
    Column("sum_tva_ni_bi_btotal", "DOUBLE", "all operations, taxed or not", unit="€"),
    Column("m_tva_bi_b0207_normal", "DOUBLE", "base at the normal rate", unit="€"),
    Column("m_tva_bi_b0105_reduit_5_5", "DOUBLE", "base at 5.5 %", unit="€"),
    Column("m_tva_bi_b0151_reduit_10", "DOUBLE", "base at 10 %, formerly 7 %", unit="€"),
    Column("m_tva_bi_b0100_dom_2_1", "DOUBLE", "overseas: base at 2.1 %", unit="€"),
    Column("m_tva_bi_b0201_dom_8_5", "DOUBLE", "overseas: base at 8.5 %", unit="€"),
    Column("d_tva_bi_b0950_tx_part", "DOUBLE", "base at a particular rate", unit="€"),
    Column("m_tva_bi_b0900_anc_tx", "DOUBLE", "base at a former rate", unit="€"),
    Column("d_tva_col_i0600_ant_ded", "DOUBLE", "tax deducted before, to pay back", unit="€"),
    Column("sum_tva_col_total", "DOUBLE", "tax collected on sales", unit="€"),
    Column("d_tva_col_i0031_aic", "DOUBLE", "tax collected on goods bought within the Union", unit="€"),
    Column("d_tva_ded_i0703_imm", "DOUBLE", "deductible tax on fixed assets", unit="€"),
    Column("m_tva_ded_i0702_abs", "DOUBLE", "deductible tax on goods and services", unit="€"),
    Column("d_tva_ded_i0059_autr", "DOUBLE", "other deductible tax", unit="€"),
    Column(
        "d_tva_ded_tx_coef_ded", "DOUBLE", "share of the tax that is deductible, 100 when none is declared", unit="%"
    ),
    Column("d_tva_ded_i0705_total", "DOUBLE", "deductible tax, amounts carried over included", unit="€"),
    Column("d_tva_ded_total_hs_report", "DOUBLE", "deductible tax, amounts carried over excluded", unit="€"),
    Column("d_tva_ded_i0709_dt_es_dom", "DOUBLE", "deductible tax declared apart on the form (boxes 24, 27)", unit="€"),
    Column("m_tva_net_i8002_remb_dem", "DOUBLE", "refund asked for", unit="€"),
    Column("m_tva_net_due", "DOUBLE", "net tax due", unit="€"),
)


def _boxes(form: str, prefix: str, boxes: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"{prefix}_{box}", "DOUBLE", f"{form} return, box {box}", unit="%" if box in _RATES else "€")
        for box in boxes.split()
    )


COLUMNS = (
    Column("date_deb_tva", "DATE", "first day of the period of the VAT return"),
    Column("date_fin_tva", "DATE", "last day of the period of the VAT return"),
    Column("mode_depot", "VARCHAR", "how the return was filed"),
    Column("version_form", "VARCHAR", "version of the form"),
    *_boxes("CA3", "d3310", CA3_BOXES),
    *_boxes("CA12", "d3517s", CA12_BOXES),
    *FIGURES,
)
