"""Clean tables: declarations, perimeter, short-time work, contributions, payment plans and head-counts.

Comments give the numbers of the specification's traps.
"""

from collections.abc import Iterator
from importlib.resources import files

import duckdb
import pytest
from clean_world import OTHER, SIRET, World, fresh_world

from sf_assets.clean.tables import TABLES
from sf_assets.features.registry import RATIOS

BY_NAME = {table.name: table for table in TABLES}
world = pytest.fixture(fresh_world, name="world")


# ---- declarations


@pytest.fixture(scope="module")
def empty() -> Iterator[World]:
    with duckdb.connect(config={"threads": 1}) as connection:
        world = World(connection)
        for table in TABLES:
            world.build(table.name)
        yield world


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_query_returns_the_declared_columns_and_types(empty, table):  # traps 57, 58
    described = empty.connection.execute(f"describe {table.name}").fetchall()
    assert [(name, kind) for name, kind, *_ in described] == [(column.name, column.type) for column in table.columns]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_queries_of_rules_run_on_their_table(empty, table):
    for rule in table.rules:
        if "unexpected_rows_query" in rule.arguments:
            query = rule.arguments["unexpected_rows_query"].replace("{batch}", table.name)
            assert empty.connection.execute(query).fetchall() == []
        else:
            assert rule.arguments["column"] in table.column_names


def test_every_query_of_the_folder_is_declared():
    queries = {
        path.name.removesuffix(".sql") for path in files("sf_assets.clean").iterdir() if path.name.endswith(".sql")
    }
    # The export and the report are made from the tables and declared in their own modules; a tolerance counts by reason; two
    # queries are completed by the one that codes activities.
    assert queries - {"clean_export", "perimeter_report", "excluded_by_reason", "coded_activities"} == set(BY_NAME)


def test_the_ratios_that_features_read_are_columns():
    assert set(RATIOS) <= set(BY_NAME["clean_ratios"].column_names)


# ---- perimeter


def test_the_blacklist_has_the_reasons_of_each_company(world):  # traps 27, 28, 29, deviation B16
    sirens = [f"40000000{n}" for n in range(1, 8)]
    world.add("stg_filter_import", "siren", *((siren,) for siren in sirens))
    world.add(
        "stg_sirene_ul", "siren categorie_juridique activite_principale",
        ("400000001", "5710", "25.62B"), ("400000002", "7210", "84.11Z"), ("400000003", "5710", "64.20Z"),
        ("400000004", "5499", "66.22Z"), ("400000005", "5499", "10.71C"), ("400000006", "5710", "47.11F"),
        ("400000002", "7210", "84.11Z"),  # trap 54: a repeated unit does not repeat its company
    )  # fmt: skip
    world.add(
        "stg_sirene", "siren siege departement est_actif",
        ("400000001", True, "21", True), ("400000002", True, "69", True), ("400000003", True, None, True),
        ("400000004", True, "33", True), ("400000005", True, "2A", False), ("400000006", False, "75", True),
        ("400000007", True, "974", True),
    )  # fmt: skip
    assert world.rows("siren_blacklist") == [
        ("400000002", True, True, False),
        ("400000003", False, False, True),
        ("400000004", False, True, False),
        ("400000006", False, False, True),
    ]
    assert world.rows("clean_filter") == [("400000001",), ("400000005",), ("400000007",)]


@pytest.mark.parametrize("neighbour", ["64.20Z", "85.51Z", "85.60Z", "94.99Z", "84.11"])
def test_neighbours_of_excluded_activities_are_not_excluded(world, neighbour):  # trap 25
    world.add("stg_filter_import", "siren", ("400000001",))
    world.add("stg_sirene_ul", "siren categorie_juridique activite_principale", ("400000001", "7385", neighbour))
    world.add("stg_sirene", "siren siege departement", ("400000001", True, "21"))
    assert world.rows("siren_blacklist") == []


def test_the_blacklist_excludes_17_categories_and_41_activities(world):  # traps 25, 26: rev. 2 of the legal unit
    categories = [
        (code, "25.62B") for (code,) in world.connection.execute("select code from categories_juridiques").fetchall()
    ]
    activities = [("5710", code) for (code,) in world.connection.execute("select niv5 from naf_codes").fetchall()]
    units = [(f"{n:09}", *unit) for n, unit in enumerate(categories + activities)]
    world.add("stg_filter_import", "siren", *((siren,) for siren, *_ in units))
    world.add("stg_sirene_ul", "siren categorie_juridique activite_principale", *units)
    world.add("stg_sirene", "siren siege departement", *((siren, True, "21") for siren, *_ in units))
    counts = "count_if(motif_categorie_juridique), count_if(motif_activite), count_if(motif_siege)"
    world.build("siren_blacklist")
    assert world.connection.execute(f"select {counts} from siren_blacklist").fetchone() == (17, 41, 0)


def test_a_company_outside_the_import_perimeter_has_rows_unless_blacklisted(world):  # trap 30
    world.add("stg_filter_import", "siren", ("400000001",))
    world.blacklist("400000001")
    world.add("stg_delai", "siret date_creation", (SIRET, "2024-02-15"), (OTHER, "2024-02-15"))
    assert world.rows("clean_delai", "siret") == [(OTHER,)]
    assert world.rows("clean_filter") == []


_HIDDEN = {
    "clean_ap": ("stg_apconso", "siret periode heures", (SIRET, "2024-01-01", 1)),
    "clean_cotisation": ("stg_cotisation", "siret periode_debut du", (SIRET, "2024-01-01", 1)),
    "clean_debit": (
        "stg_debit",
        "siret debit_id periode_prise_en_compte part_ouvriere part_patronale",
        (SIRET, "D", "2024-01-01", 1, 1),
    ),
    "clean_delai": ("stg_delai", "siret date_creation", (SIRET, "2024-01-01")),
    "clean_procol": ("stg_procol", "siret date_effet", (SIRET, "2024-01-01")),
    "clean_effectif": ("stg_effectif", "siret periode effectif", (SIRET, "2024-01-01", 1)),
    "clean_effectif_ent": ("stg_effectif_ent", "siren periode effectif_ent", (SIRET[:9], "2024-01-01", 1)),
    "clean_sirene_histo": ("stg_sirene_histo", "siret date_debut changement_statut_actif", (SIRET, "2024-01-01", True)),
    "clean_paydex": ("stg_paydex", "siren date_valeur line", (SIRET[:9], "2024-01-01", 2)),
}


@pytest.mark.parametrize("name", _HIDDEN)
def test_a_blacklisted_company_is_in_no_clean_table(world, name):
    table, columns, row = _HIDDEN[name]
    world.add(table, columns, row)
    assert len(world.rows(name)) == 1
    world.blacklist(SIRET[:9])
    assert world.rows(name) == []


# ---- short-time work


def _short_time_work(world: World) -> None:
    world.add(
        "stg_apdemande", "siret id_demande periode_debut periode_fin heures motif_recours",
        (SIRET, "A", "2024-01-20", "2024-03-05", 303.34, 1), (SIRET, "B", "2024-03-01", "2024-03-31", 151.67, 3),
        (SIRET, "C", "2024-05-31", "2024-05-01", 151.67, 3), (SIRET, "D", "2024-03-31", "2024-04-01", None, 6),
    )  # fmt: skip
    world.add(
        "stg_apconso", "siret id_demande periode heures",
        (SIRET, "A", "2024-02-01", 75.835), (SIRET, "B", "2024-02-01", 75.835), (SIRET, "D", "2024-03-15", None),
    )  # fmt: skip


def test_short_time_work_repeats_demands_by_month_and_preserves_consumption_days(world):  # traps 40, 42, 43, 44
    _short_time_work(world)
    columns = "periode, round(etp_autorise, 9), round(etp_consomme, 9), motif_recours, is_last"
    conjoncture, inconnu = "Conjoncture économique", "Motif inconnu"
    sinistre = "Sinistre ou intempéries de caractère exceptionnel"
    assert world.rows("clean_ap", columns) == [
        ("2024-01-01", 2, 0, conjoncture, False),
        ("2024-02-01", 2, 1, conjoncture, False),
        ("2024-03-01", 3, 0, f"{conjoncture}; {inconnu}; {sinistre}", False),
        ("2024-03-15", 0, 0, None, True),
        ("2024-04-01", 0, 0, inconnu, False),
        ("2024-05-01", 1, 0, sinistre, False),
    ]


def test_hours_of_a_demand_are_spread_by_day_for_reasons_1_to_5(world):  # deviation B14
    world.add(
        "stg_apdemande", "siret periode_debut periode_fin heures motif_recours",
        (SIRET, "2024-01-20", "2024-03-05", 460, 2), (SIRET, "2024-01-20", "2024-03-05", 460, 6),
        (SIRET, "2024-01-20", "2024-03-05", 460, None), (SIRET, "2024-05-31", "2024-05-01", 460, 2),
    )  # fmt: skip
    assert world.rows("clean_ap", "periode, heures_autorisees") == [
        ("2024-01-01", 120), ("2024-02-01", 290), ("2024-03-01", 50), ("2024-05-01", 0),
    ]  # fmt: skip


def test_hours_consumed_are_summed_and_unknown_hours_count_as_zero(world):
    _short_time_work(world)
    hours = dict(world.rows("clean_ap", "periode, heures_consommees"))
    assert hours["2024-02-01"] == pytest.approx(151.67)
    assert hours["2024-03-15"] == 0
    assert hours["2024-05-01"] == 0


def test_a_demand_that_ends_before_it_starts_has_no_row_and_one_without_reason_no_label(world):  # trap 44
    world.add(
        "stg_apdemande", "siret periode_debut periode_fin heures motif_recours",
        (SIRET, "2024-05-31", "2024-04-01", 460, 2), (SIRET, "2024-06-01", "2024-06-02", 460, None),
        (OTHER, "2024-06-01", "2024-06-02", 460, 7), (OTHER, "2024-06-01", "2024-06-02", 460, 6),
    )  # fmt: skip
    assert world.rows("clean_ap", "siret, siren, periode, motif_recours") == [
        (SIRET, SIRET[:9], "2024-06-01", None),
        (OTHER, OTHER[:9], "2024-06-01", "Motif inconnu"),
    ]


def test_the_reasons_of_a_country_fit_into_the_memory_of_a_session():
    """A list of texts for each establishment and month took 2.5 GB at 350,000 companies; here both are smaller alike."""
    with duckdb.connect(config={"threads": 1}) as connection:
        small = World(connection)
        connection.execute(
            """
            insert into stg_apdemande by name
            select
                lpad(i::varchar, 14, '0') as siret,
                i::varchar as id_demande,
                1 + i % 6 as motif_recours,
                date '2024-01-01' as periode_debut,
                date '2024-01-31' as periode_fin
            from range(150_000) as numbers (i)
            """
        )
        connection.execute("set memory_limit = '70MB'")
        small.build("clean_ap")
        assert connection.execute("select count(distinct motif_recours) from clean_ap").fetchall() == [(6,)]


def test_the_last_consumption_is_of_the_whole_table_blacklisted_companies_included(world):  # trap 40
    world.add("stg_apconso", "siret periode heures", (SIRET, "2024-02-01", 1), (OTHER, "2024-03-01", 1))
    world.blacklist(OTHER[:9])
    assert world.rows("clean_ap", "siret, is_last") == [(SIRET, False)]


# ---- contributions, plans, head-counts


def test_contributions_are_summed_by_the_first_day_of_their_periods(world):  # traps 45, 46
    world.add(
        "stg_cotisation", "siret periode_debut periode_fin du",
        (SIRET, "2024-01-01", "2024-02-01", 100), (SIRET, "2024-01-01", "2024-04-01", 300),
        (OTHER, "2024-01-01", "2024-02-01", None), (OTHER, "2024-04-01", "2024-05-01", None),
        (OTHER, "2024-04-01", "2024-05-01", -30),
    )  # fmt: skip
    assert world.rows("clean_cotisation") == [
        (SIRET, "2024-01-01", 400), (OTHER, "2024-01-01", None), (OTHER, "2024-04-01", -30),
    ]  # fmt: skip


def test_payment_plans_are_stored_as_delivered_duplicates_included(world):
    columns = "siret date_creation date_echeance duree_delai montant_echeancier stade action"
    plan = (SIRET, "2024-02-15", "2024-08-14", 181, 12500.4, "APPROB", "SUR PO")
    world.add("stg_delai", columns, plan, plan)
    assert world.rows("clean_delai") == [plan, plan]


def test_the_latest_head_count_is_per_establishment_with_every_account_of_that_month(world):  # trap 40
    world.add(
        "stg_effectif", "siret periode effectif",
        (SIRET, "2024-01-01", 12), (SIRET, "2024-03-01", 7), (SIRET, "2024-03-01", 3), (OTHER, "2019-01-01", 5),
    )  # fmt: skip
    assert world.rows("clean_effectif") == [
        (SIRET, "2024-01-01", 12, False),
        (SIRET, "2024-03-01", 3, True),
        (SIRET, "2024-03-01", 7, True),
        (OTHER, "2019-01-01", 5, True),
    ]


def test_the_latest_head_count_of_a_company_is_flagged(world):
    rows = (("400000001", "2024-01-01", 12), ("400000001", "2024-03-01", 0), ("400000002", "2024-02-01", 9))
    world.add("stg_effectif_ent", "siren periode effectif_ent", *rows)
    assert [row[-1] for row in world.rows("clean_effectif_ent")] == [False, True, True]


def test_a_demand_decided_again_counts_once_with_its_last_decision(world):
    columns = "id_demande siret periode_debut periode_fin heures date_statut motif_recours"
    world.add(
        "stg_apdemande", columns,
        ("D", SIRET, "2024-01-01", "2024-01-31", 3100.0, "2024-02-01", 1),
        ("D", SIRET, "2024-01-01", "2024-01-31", 310.0, "2024-01-01", 1),
        (None, SIRET, "2024-02-01", "2024-02-29", 10.0, "2024-01-01", 1),  # without a number: each is a demand
        (None, SIRET, "2024-02-01", "2024-02-29", 20.0, "2024-01-01", 1),
    )  # fmt: skip
    assert world.rows("clean_ap", "periode, heures_autorisees") == [("2024-01-01", 3100.0), ("2024-02-01", 30.0)]
