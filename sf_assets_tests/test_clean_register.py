"""Clean tables of the register, payment behaviour and yearly accounts. Comments give the specification's trap numbers."""

import re

import pytest
from clean_world import OTHER, READS, SIRET, World, fresh_world

from sf_assets.clean.queries import clean_query
from sf_assets.clean.tables import SIRENE, SIRENE_UL
from sf_assets.engine.quality.rules import rules_of
from sf_assets.staging.tables import STAGING
from sf_assets.vocabulary.schema import Rule

world = pytest.fixture(fresh_world, name="world")


# ---- register

ADDRESS = "siret numero_voie indrep type_voie voie complement_adresse code_postal commune pays_etranger"


@pytest.mark.parametrize(
    ("pieces", "address"),
    [
        (
            ("12", "BIS", "RUE", "DES LILAS", "BAT C", "21000", "DIJON", None),
            "12 BIS RUE DES LILAS (BAT C)\n21000 DIJON",
        ),
        (("4", None, "AVENUE", "DU  PARC", None, "69006", "LYON", None), "4 AVENUE DU PARC\n69006 LYON"),
        ((None, None, "CHEMIN", "BAS", None, "20000", "AJACCIO", None), "CHEMIN BAS\n20000 AJACCIO"),
        ((None, None, None, None, None, None, None, "BELGIQUE"), "BELGIQUE"),
        ((None,) * 8, None),
    ],
)
def test_an_address_has_only_the_parts_that_exist(world, pieces, address):  # trap 55, as deviation B6 has it
    world.add("stg_sirene", ADDRESS, (SIRET, *pieces))
    assert world.rows("clean_sirene", "adresse") == [(address,)]


def test_establishments_get_department_and_section_labels_and_none_is_left_out(world):
    world.add(
        "stg_sirene", "siret siren departement ape est_actif",
        (SIRET, SIRET[:9], "2A", "10.71C", True), (OTHER, OTHER[:9], "99", "99.99X", False),
    )  # fmt: skip
    world.blacklist(SIRET[:9])
    assert world.rows("clean_sirene", "siret, libelle_departement, region, libelle_region, naf_section, est_actif") == [
        (SIRET, "Corse-du-Sud", "94", "Corse", "C", True),
        (OTHER, None, None, None, None, False),
    ]


@pytest.mark.parametrize("name", ["clean_sirene", "clean_sirene_ul", "clean_sirene_histo", "clean_naf_paire"])
def test_tables_of_the_whole_register_compare_no_row_with_every_other(world, name):
    for read in READS.get(name, ()):
        world.build(read)
    ((_, plan),) = world.connection.execute(f"explain {clean_query(name).text}").fetchall()
    assert "HASH_JOIN" in plan
    assert not re.findall("BLOCKWISE_NL_JOIN|NESTED_LOOP_JOIN|CROSS_PRODUCT", plan)


NAMES = "siren raison_sociale nom_unite_legale nom_usage_unite_legale prenom1_unite_legale prenom2_unite_legale"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("ATELIER FICTIF", "NOMFICTIF", None, "PRENOMA", None), "ATELIER FICTIF"),
        ((None, "NOMFICTIF", None, "PRENOMA", "PRENOMB"), "NOMFICTIF PRENOMA PRENOMB EI"),
        ((None, "NOMFICTIF", "NOMUSAGE", "PRENOMA", None), "NOMFICTIF NOMUSAGE PRENOMA EI"),
        ((None, None, None, None, None), None),
    ],
)
def test_a_natural_person_is_named_by_the_names_that_exist(world, names, expected):  # deviation B6
    world.add("stg_sirene_ul", NAMES, ("400000001", *names))
    assert world.rows("clean_sirene_ul", "raison_sociale") == [(expected,)]


def test_a_legal_unit_gets_its_labels_and_its_head_office_even_closed_or_abroad(world):
    world.add(
        "stg_sirene_ul", "siren categorie_juridique activite_principale activite_principale_naf25 est_actif",
        ("400000001", "5710", "25.62B", "25.53Y", True), ("400000002", "0000", None, None, True),
        ("400000003", None, None, None, False),
    )  # fmt: skip
    world.add(
        "stg_sirene", "siren siret siege departement est_actif",
        ("400000001", SIRET, True, "21", False), ("400000001", "40000000100029", False, "69", True),
        ("400000002", OTHER, True, None, True),
    )  # fmt: skip
    world.blacklist("400000001")
    head_office = "siren, departement, siret_siege, libelle_departement, region, libelle_region, est_actif"
    assert world.rows("clean_sirene_ul", head_office) == [
        ("400000001", "21", SIRET, "Côte-d'Or", "27", "Bourgogne-Franche-Comté", True),
        ("400000002", None, OTHER, None, None, None, True),
        ("400000003", None, None, None, None, None, False),
    ]


def test_a_legal_unit_gets_the_labels_of_its_category_and_of_its_activity_in_both_nomenclatures(world):
    columns = "siren categorie_juridique activite_principale activite_principale_naf25"
    world.add("stg_sirene_ul", columns, ("400000001", "5710", "63.11Z", "63.10Y"), ("400000002", "9", "63.1", "63.11Z"))
    assert world.rows("clean_sirene_ul", "libelle_categorie_juridique, libelle_activite_principale") == [
        ("SAS, société par actions simplifiée", "Traitement de données, hébergement et activités connexes"),
        (None, None),
    ]
    assert world.rows("clean_sirene_ul", "naf_section, naf25_section") == [("J", "K"), (None, None)]


# ---- activities in two nomenclatures

UNIT = "siren nomenclature_activite activite_principale activite_principale_naf25"
CODED = "siren, activite_principale, origine_naf, naf_section, activite_principale_naf25, origine_naf25, naf25_section"


@pytest.mark.parametrize(
    ("nomenclature", "code", "second", "expected"),
    [
        # A code with one successor and one predecessor: before the switch, in a mixed file, after the switch.
        ("NAFRev2", "62.01Z", "62.10Y", ("62.01Z", "livree", "J", "62.10Y", "livree", "K")),
        ("NAFRev2", "62.01Z", None, ("62.01Z", "livree", "J", "62.10Y", "unique", "K")),
        ("NAF2025", "62.10Y", "62.10Y", ("62.01Z", "unique", "J", "62.10Y", "livree", "K")),
        ("NAF2025", "62.10Y", None, ("62.01Z", "unique", "J", "62.10Y", "livree", "K")),
        # A code with several successors and no pair: a whole code before a part of one, then the nearest.
        ("NAF2025", "66.30Y", None, ("66.30Z", "presumee", "K", "66.30Y", "livree", "L")),
        ("NAFRev2", "45.20A", None, ("45.20A", "livree", "G", "95.31G", "presumee", "T")),
        # An unknown nomenclature, or a missing one: only the second code is readable.
        ("inconnue", "28.50Z", "62.10Y", ("62.01Z", "unique", "J", "62.10Y", "livree", "K")),
        ("inconnue", "62.01Z", None, (None, None, None, None, None, None)),
        (None, None, None, (None, None, None, None, None, None)),
        # No nomenclature: the code is in one table only.
        (None, "62.01Z", None, ("62.01Z", "livree", "J", "62.10Y", "unique", "K")),
        (None, "62.10Y", None, ("62.01Z", "unique", "J", "62.10Y", "livree", "K")),
        # New in NAF 2025, without a predecessor.
        ("NAF2025", "46.89Y", None, (None, None, None, "46.89Y", "livree", "G")),
    ],
)
def test_both_codes_of_a_unit_are_decided_with_the_way_they_were(world, nomenclature, code, second, expected):
    world.add("stg_sirene_ul", UNIT, ("400000001", nomenclature, code, second))
    world.add("stg_sirene", "siren siret nomenclature_activite ape ape_naf25", ("1", SIRET, nomenclature, code, second))
    assert world.rows("clean_sirene_ul", CODED) == [("400000001", *expected)]
    establishment = "ape, origine_naf, naf_section, ape_naf25, origine_naf25, naf25_section"
    assert world.rows("clean_sirene", establishment) == [expected]


def test_the_pair_of_a_unit_takes_precedence_over_the_most_frequent_code(world):
    world.add("clean_naf_paire", "siren naf naf25", ("400000001", "77.40Z", "66.12Y"))
    world.add("clean_naf_paire", "siren naf naf25", *((f"5{n:08}", "62.03Z", "62.20H") for n in range(3)))
    world.add("clean_naf_paire", "siren naf naf25", *((f"6{n:08}", "62.02B", "62.20H") for n in range(2)))
    world.add(
        "stg_sirene_ul", UNIT,
        ("400000001", "NAF2025", "66.12Y", None),  # its own pair: no broker, so that it stays
        ("400000002", "NAF2025", "62.20H", None),  # three of five come from 62.03Z
        ("400000003", "NAF2025", "66.12Y", None),  # one pair seen, and it is the only one
        ("600000001", "NAF2025", "62.20H", None),
    )  # fmt: skip
    assert world.rows("clean_sirene_ul", "siren, activite_principale, origine_naf") == [
        ("400000001", "77.40Z", "paire"),
        ("400000002", "62.03Z", "frequente"),
        ("400000003", "77.40Z", "frequente"),
        ("600000001", "62.02B", "paire"),
    ]


def test_a_pair_that_no_longer_matches_the_activity_of_its_unit_is_ignored(world):
    world.add("clean_naf_paire", "siren naf naf25", ("400000001", "77.40Z", "66.12Y"))
    world.add("stg_sirene_ul", UNIT, ("400000001", "NAF2025", "62.10Y", None))
    assert world.rows("clean_sirene_ul", "activite_principale, origine_naf") == [("62.01Z", "unique")]


def test_pairs_are_stored_until_replaced_and_only_for_codes_with_several_counterparts(world):
    world.add(
        "clean_naf_paire", "siren naf naf25",
        ("400000001", "77.40Z", "66.12Y"), ("400000002", "62.03Z", "62.20H"), ("400000009", "62.02B", "62.20H"),
    )  # fmt: skip
    world.add(
        "stg_sirene_ul", UNIT,
        ("400000001", "NAFRev2", "77.40Z", "77.40H"),  # delivered again, with another second code
        ("400000002", "NAF2025", "62.20H", "62.20H"),  # one code, written twice in a mixed file
        ("400000003", "NAFRev2", "62.01Z", "62.10Y"),  # INSEE's correspondence says as much
        ("400000004", "NAFRev2", "62.02A", "63.10Y"),  # INSEE's correspondence does not know that
        ("400000005", "inconnue", "62.03Z", "62.20H"),
    )  # fmt: skip
    pairs = "select siren, naf, naf25 from clean_naf_paire order by all"
    world.build("clean_naf_paire")
    assert world.connection.execute(pairs).fetchall() == [
        ("400000001", "77.40Z", "77.40H"),
        ("400000002", "62.03Z", "62.20H"),
        ("400000004", "62.02A", "63.10Y"),
        ("400000009", "62.02B", "62.20H"),
    ]


@pytest.mark.parametrize("nomenclature", ["NAFRev2", "NAF2025"])
def test_the_excluded_activities_are_the_same_in_both_nomenclatures(world, nomenclature):
    """Of the 732 activities, the same 41 are excluded in either nomenclature once the pairs of units are known."""
    world.build("clean_naf_passage")
    forward = world.connection.execute(
        "select code, correspondant from clean_naf_passage where nomenclature = 'NAFRev2' order by code"
    ).fetchall()
    pairs = [(f"{n:09}", *pair) for n, pair in enumerate(forward)]
    world.add("clean_naf_paire", "siren naf naf25", *pairs)
    world.add("stg_filter_import", "siren", *((siren,) for siren, *_ in pairs))
    world.add("stg_sirene", "siren siege departement", *((siren, True, "21") for siren, *_ in pairs))
    coded = [(siren, nomenclature, naf if nomenclature == "NAFRev2" else naf25) for siren, naf, naf25 in pairs]
    world.add("stg_sirene_ul", "siren nomenclature_activite activite_principale", *coded)
    assert len(world.rows("siren_blacklist")) == 41


HEAD_OFFICES = "siren siret siege est_actif date_creation departement"


@pytest.mark.parametrize(
    ("head_offices", "chosen"),
    [
        # trap 54: open before closed, then the newest, then by number
        ([(SIRET, True, False, "2020-01-01"), (OTHER, True, True, "2001-01-01")], OTHER),
        ([(SIRET, True, True, "2020-01-01"), (OTHER, True, True, "2021-01-01")], OTHER),
        ([(SIRET, True, True, "2020-01-01"), (OTHER, True, True, None)], SIRET),
        ([(SIRET, True, None, "2020-01-01"), (OTHER, True, False, "1999-01-01")], OTHER),
        ([(OTHER, True, True, "2020-01-01"), (SIRET, True, True, "2020-01-01")], SIRET),
        ([(SIRET, True, True, "2020-01-01"), (SIRET, True, True, "2020-01-01")], SIRET),
        ([(SIRET, False, True, "2020-01-01"), (OTHER, True, False, "1999-01-01")], OTHER),
    ],
)
def test_of_several_head_offices_of_a_unit_the_open_one_counts_then_the_newest(world, head_offices, chosen):
    world.add("stg_sirene_ul", "siren", ("400000001",))
    for order in (head_offices, head_offices[::-1]):
        world.connection.execute("delete from stg_sirene")
        world.add("stg_sirene", HEAD_OFFICES, *(("400000001", *row, "21") for row in order))
        assert world.rows("clean_sirene_ul", "siren, siret_siege") == [("400000001", chosen)]


def test_a_second_head_office_fails_one_note_and_a_repeated_row_two(world):
    world.add("stg_sirene_ul", "siren", ("400000001",), ("400000002",))
    world.add(
        "stg_sirene", HEAD_OFFICES,
        ("400000001", SIRET, True, True, None, "21"), ("400000001", OTHER, True, True, None, "69"),
        ("400000002", "40000000200027", True, True, None, "21"), ("400000002", "40000000200035", False, True, None, "69"),
    )  # fmt: skip
    world.build("clean_sirene")
    notes = {rule.name: rule for rule in SIRENE.rules if rule.name in ("one_head_office", "siret_unique")}
    assert {rule.severity for rule in notes.values()} == {"warning"}
    assert _refused(world, notes["one_head_office"]) == [("400000001",)]
    assert _refused(world, notes["siret_unique"]) == []
    world.add("stg_sirene", HEAD_OFFICES, ("400000002", "40000000200027", True, True, None, "21"))
    world.build("clean_sirene")
    assert _refused(world, notes["one_head_office"]) == [("400000001",), ("400000002",)]
    assert _refused(world, notes["siret_unique"]) == [("40000000200027",)]
    world.build("clean_sirene_ul")
    (unique,) = (rule for rule in rules_of(SIRENE_UL) if rule.name == "key_unique")
    world.connection.execute("alter table clean_sirene_ul add column month date")
    assert _refused(world, unique) == []


def _refused(world: World, rule: Rule) -> list[tuple[object, ...]]:
    query = rule.arguments["unexpected_rows_query"].format(batch=_TABLE_OF[rule.name])
    return sorted(world.connection.execute(query).fetchall())


_TABLE_OF = {"one_head_office": "clean_sirene", "siret_unique": "clean_sirene", "key_unique": "clean_sirene_ul"}


HISTO = "siret date_debut date_fin est_actif changement_statut_actif"


def test_the_history_has_changes_of_state_and_ends_each_before_the_next(world):  # trap 53
    world.add(
        "stg_sirene_histo", HISTO,
        (SIRET, "2010-01-01", "2014-12-31", True, False), (SIRET, "2015-01-01", "2019-06-30", True, False),
        (SIRET, "2019-07-01", "2021-02-28", False, True), (SIRET, "2021-03-01", None, True, True),
    )  # fmt: skip
    assert world.rows("clean_sirene_histo") == [
        (SIRET, "2010-01-01", "2019-06-30", True),
        (SIRET, "2019-07-01", "2021-02-28", False),
        (SIRET, "2021-03-01", None, True),
    ]


def test_a_state_without_a_first_day_comes_last_and_ends_no_other(world):
    world.add(
        "stg_sirene_histo", HISTO,
        (SIRET, "2010-01-01", "2014-12-31", True, False), (SIRET, None, "2009-12-31", False, True),
        (OTHER, None, "2018-12-31", True, False),
    )  # fmt: skip
    assert world.rows("clean_sirene_histo") == [
        (SIRET, "2010-01-01", None, True), (SIRET, None, None, False), (OTHER, None, None, True),
    ]  # fmt: skip


def test_first_periods_of_an_establishment_that_start_on_one_day_are_all_stored(world):
    world.add("stg_sirene_histo", HISTO, *((SIRET, "2010-01-01", end, True, False) for end in ("2014-12-31", None)))
    assert len(world.rows("clean_sirene_histo")) == 2


# ---- payment behaviour and accounts

PAYDEX = "siren date_valeur line paydex fpi_30 fpi_90"


def test_the_latest_measure_of_a_month_counts_even_for_missing_values(world):  # deviation B15
    world.add(
        "stg_paydex", PAYDEX,
        ("400000001", "2024-03-28", 2, 15, None, 40), ("400000001", "2024-03-04", 3, 12, 35, 120),
        ("400000001", "2024-04-01", 4, 8, -5, 120), ("400000002", "2024-03-04", 5, 1, 0, 0),
        ("400000002", "2024-03-04", 6, 2, 0, 0),
    )  # fmt: skip
    assert world.rows("clean_paydex", "siren, periode, date_valeur, paydex, fpi_30, fpi_90") == [
        ("400000001", "2024-03-01", "2024-03-28", 15, None, 0.4),
        ("400000001", "2024-04-01", "2024-04-01", 8, 0, 1),
        ("400000002", "2024-03-01", "2024-03-04", 2, 0, 0),
    ]


STATEMENT = "siren date_deb_exercice date_fin_exercice no_ocfi annee_exercice"


def _statement(
    world: World, *, number: str = "1", year: int = 2022, end: str = "2022-12-31", **amounts: object
) -> None:
    """Add one statement in the two tables it is split in; each amount goes to the table that has its column."""
    for name in ("stg_declarations_indmap", "stg_declarations_af"):
        known = STAGING[name.removeprefix("stg_")].column_names
        own = {column: value for column, value in amounts.items() if column in known}
        key = ("400000001", f"{end[:4]}-01-01", end, number, year)
        world.add(name, " ".join((STATEMENT, *own)), (*key, *own.values()))


def test_ratios_are_computed_from_the_amounts_of_the_statement(world):  # deviation B17
    _statement(
        world,
        mnt_af_endettement_net=30, rto_af_endettement_a_terme=4, mnt_af_sig_ebe_ret=50_000, mnt_af_ca=1_000_000,
        mnt_af_sig_va_ret=400_000, d_dvs_376_nbr_pers=10, d_cr_250_expl_salaire=200_000, d_cr_252_expl_ch_soc=80_000,
        d_cr_260_expl_dt_syndic=20_000, d_actf_stk_march_net=100_000, mnt_af_bfonc_actif_circ_expl=300,
        mnt_af_bfonc_actif_circ_h_expl=100, mnt_af_bfonc_passif_circ_expl=150, mnt_af_bfonc_passif_circ_h_expl=50,
        mnt_af_bfonc_tresorerie=40, nbr_af_jours_reglt_fourn=60, nbr_af_jours_creance_cli=30,
        d_passf_142_k_propres=500, d_passf_120_k=100, mnt_af_bfonc_bfr=250, rto_invest_ca=0.1, rto_af_rent_eco=0.2,
        rto_af_solidite_financiere=0.3,
    )  # fmt: skip
    world.add(
        "stg_ratios_dirco", "siren date_deb_exercice date_fin_exercice rto_6 rto_56",
        ("400000001", "2022-01-01", "2022-12-31", 15, 0.9),
    )  # fmt: skip
    (row,) = world.rows("clean_ratios")
    assert row == (
        "400000001", "2022-01-01", "2022-12-31", 2022, "1", "2023-07-31",
        2, 0.25, 0.05, 40_000, 0.75, 0.1, 2, 0.1, 0.9, 2, 5, 0.5, 0.1, 0.2, 0.3,
    )  # fmt: skip


def test_an_unknown_operand_or_a_zero_divisor_makes_an_unknown_ratio(world):  # trap 56, deviation B17
    _statement(world, mnt_af_sig_ebe_ret=50_000, mnt_af_ca=0, d_cr_250_expl_salaire=1, mnt_af_sig_va_ret=400_000)
    ratios = "ebe_sur_ca, stocks_sur_ca, charges_personnel_sur_va, dette_nette_sur_caf, liquidite_reduite"
    assert world.rows("clean_ratios", ratios) == [(None,) * 5]


def test_accounts_are_known_from_their_deposit_date_if_there_is_one(world):
    _statement(world, date_depot="2023-05-04")
    assert world.rows("clean_ratios", "date_publication") == [("2023-05-04",)]


def test_the_most_complete_statement_counts_then_the_latest(world):
    _statement(world, number="1", year=2022, rto_invest_ca=0.1, rto_af_rent_eco=0.1)
    _statement(world, number="2", year=2023, rto_invest_ca=0.2)
    assert world.rows("clean_ratios", "no_ocfi") == [("1",)]
    _statement(world, number="3", year=2022, rto_invest_ca=0.3, rto_af_rent_eco=0.3)
    assert world.rows("clean_ratios", "no_ocfi") == [("3",)]
    _statement(world, number="0", year=2023, rto_invest_ca=0.3, rto_af_rent_eco=0.3)
    assert world.rows("clean_ratios", "no_ocfi") == [("0",)]


VERSIONS = "no_ocfi, date_publication, date_remplacement, rentabilite_economique, liquidite_reduite"


def test_a_statement_filed_again_replaces_the_former_one_from_its_deposit_on(world):
    _statement(world, number="1", date_depot="2023-05-04", rto_invest_ca=0.1, rto_af_rent_eco=0.1)
    before = world.rows("clean_ratios_version", VERSIONS)
    assert before == [("1", "2023-05-04", None, 0.1, None)]
    # First as complete with a greater number, then less complete: the latter changes nothing.
    _statement(world, number="2", date_depot="2023-11-02", rto_invest_ca=0.1, rto_af_rent_eco=0.2)
    _statement(world, number="3", date_depot="2024-01-15", rto_invest_ca=0.1)
    _statement(world, number="4", date_depot="2024-02-01", rto_invest_ca=0.1, rto_af_rent_eco=0.4, d_passf_120_k=1)
    assert world.rows("clean_ratios_version", VERSIONS) == [
        ("1", "2023-05-04", "2023-11-02", 0.1, None),
        ("2", "2023-11-02", "2024-02-01", 0.2, None),
        ("4", "2024-02-01", None, 0.4, None),
    ]
    assert world.rows("clean_ratios", "no_ocfi") == [("4",)]


def test_audited_ratios_go_with_the_filing_of_the_same_rank(world):
    dirco = "siren date_deb_exercice date_fin_exercice rto_56 file_number line"
    year = ("400000001", "2022-01-01", "2022-12-31")
    _statement(world, number="1", date_depot="2023-05-04")
    world.add("stg_ratios_dirco", dirco, (*year, 0.9, 1, 2))
    assert world.rows("clean_ratios_version", VERSIONS) == [("1", "2023-05-04", None, None, 0.9)]
    _statement(world, number="2", date_depot="2023-11-02")
    versions = [("1", "2023-05-04", "2023-11-02", None, 0.9), ("2", "2023-11-02", None, None, 0.9)]
    assert world.rows("clean_ratios_version", VERSIONS) == versions, (
        "a filing without its own record has the one before"
    )
    world.add("stg_ratios_dirco", dirco, (*year, 0.1, 1, 3))
    assert world.rows("clean_ratios_version", VERSIONS) == [versions[0], (*versions[1][:4], 0.1)]


def test_statements_need_records_in_both_files_and_a_closing_after_2013(world):
    world.add("stg_declarations_indmap", STATEMENT, ("400000001", "2022-01-01", "2022-12-31", "1", 2022))
    _statement(world, end="2013-12-31", year=2013)
    assert world.rows("clean_ratios") == []
    _statement(world)
    world.blacklist("400000001")
    assert world.rows("clean_ratios") == []
