"""Each family of features, on tables small enough to compute by hand."""

from datetime import date

import duckdb
import pytest

from sf_assets.clean.tables import TABLES as CLEAN
from sf_assets.features.queries import feature_query
from sf_assets.features.tables import LAGS
from sf_assets.features.tables import TABLES as FEATURES
from sf_assets.sources.known import KNOWN, define_known_from
from sf_assets.staging.tables import STAGING
from sf_assets.vocabulary.delays import DELAYS
from sf_assets.vocabulary.partitions import add_months
from sf_assets_tests.plain import PARAMETERS

MONTH = date(2023, 3, 1)
SIREN, OTHER = "400000001", "400000002"


class Tables:
    """Every table that features read, empty except for the rows that a test adds."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        for table in (*STAGING.values(), *CLEAN):
            self._create(table.name, "", table)
        for table in FEATURES:
            self._create(table.name, "month date, ", table)
        self.delivered(MONTH)

    def delivered(self, month):
        """Set the month in which the files of sources without days were delivered."""
        undated = {name: month for name, known in KNOWN.items() if not known.is_dated}
        define_known_from(self.connection, DELAYS, undated)

    def _create(self, name, month, table):
        columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
        self.connection.execute(f"create table {name} ({month}{columns})")

    def add(self, table, columns, *rows):
        names = columns.split()
        self.connection.executemany(
            f"insert into {table} ({', '.join(names)}) values ({', '.join('?' * len(names))})", [list(r) for r in rows]
        )

    def make(self, *names, first=MONTH, last=MONTH, shift=0):
        for name in names:
            query = feature_query(name)
            values = query.bind_values(PARAMETERS | {"first": first, "last": last, "shift": shift})
            self.connection.execute(f"create or replace table {name} as {query.text}", values)

    def row_of(self, table, columns, month=MONTH, where="true"):
        rows = self.connection.execute(
            f"select {columns.replace(' ', ', ')} from {table} where month = $1 and {where} order by all", [month]
        ).fetchall()
        return rows[0] if len(rows) == 1 else rows

    def employ(self, *sirens, staff=20, months=40):
        """Add companies to the perimeter, with a head-count known at every cut-off."""
        for siren in sirens:
            self.add("clean_filter", "siren", (siren,))
            known = ((siren, add_months(MONTH, -n), staff) for n in range(3, months))
            self.add("clean_effectif_ent", "siren periode effectif_ent", *known)


@pytest.fixture
def tables():
    return Tables()


def test_the_register_beside_the_perimeter_takes_no_memory(tables):
    """The country's register has 44 million establishments: choosing a head office for each took more than a session has."""
    tables.employ(SIREN)
    tables.connection.execute(
        """
        insert into clean_sirene by name
        select
            lpad(i::varchar, 9, '0') as siren,
            siren || '00019' as siret,
            true as siege,
            '75' as departement,
            'Île-de-France' as libelle_region
        from range(300_000) as numbers (i)
        """
    )
    tables.make("feat_effectif")
    tables.connection.execute("set memory_limit = '90MB'")
    tables.connection.execute("set temp_directory = ''")
    tables.make("feat_company_month")


def _debit(siren, rank, day, amount):
    return siren + "00019", "D", day, rank, 0.0, amount


DEBIT = "siret debit_id date_traitement numero_historique_ecart_negatif part_ouvriere part_patronale"


def test_new_debt_is_the_sum_of_increases_and_means_are_over_calendar_months(tables):
    tables.add(
        "stg_debit", DEBIT,
        _debit(SIREN, 1, "2021-03-10", 600.0), _debit(SIREN, 2, "2021-06-10", 0.0),  # paid: not new, in 24 months
        _debit(SIREN, 3, "2022-12-10", 1200.0), _debit(SIREN, 4, "2023-02-10", 300.0), _debit(SIREN, 5, "2023-03-31", 900.0),
        _debit(SIREN, 6, "2023-04-01", 9000.0),
    )  # fmt: skip
    tables.make("feat_dette")
    means = "dette_sociale_patronale_mean3m dette_sociale_patronale_mean12m"
    columns = f"dette_nouvelle_12m mois_en_dette_12m mois_en_dette_24m {means}"
    # December and March grew by 1,200 and 600; in debt from December on, and from April to May 2021.
    assert tables.row_of("feat_dette", columns) == (1800, 4, 6, (1200 + 300 + 900) / 3, (1200 + 1200 + 300 + 900) / 12)


def test_contributions_of_three_months_are_compared_with_those_of_twelve(tables):
    tables.employ(SIREN)
    due = [
        (SIREN + "00019", add_months(MONTH, -n - 1), add_months(MONTH, -n), 50 if n <= 3 else 100) for n in range(1, 14)
    ]
    tables.add("stg_cotisation", "siret periode_debut periode_fin du", *due)
    tables.make("feat_effectif", "feat_company_month", "feat_dette", "feat_matrix")
    mean3, mean12 = 50, (3 * 50 + 9 * 100) / 12
    assert tables.row_of("feat_dette", "cotisation_mean3m cotisation_mean12m") == (mean3, mean12)
    (variation,) = tables.row_of("feat_matrix", "cotisation_variation3m")
    assert variation == pytest.approx(mean3 / mean12 - 1)


def test_a_plan_is_respected_when_nothing_is_owed_as_it_ends(tables):
    tables.add("stg_debit", DEBIT, _debit(SIREN, 1, "2021-05-10", 600.0), _debit(SIREN, 2, "2022-08-10", 0.0))
    plans = [
        ("2020-01-01", "2021-02-01"),  # over for more than two years
        ("2021-04-10", "2022-01-10"),  # ended with the debt
        ("2022-02-10", "2022-09-10"),  # ended once it was paid
        ("2023-03-31", "2023-06-30"),  # in progress
        ("2023-04-01", "2023-06-30"),  # not known yet
    ]
    tables.add("clean_delai", "siret date_creation date_echeance", *((SIREN + "00019", *plan) for plan in plans))
    tables.make("feat_dette")
    assert tables.row_of("feat_dette", "delais_demandes_24m delais_rompus_24m delais_respectes_24m") == (3, 1, 1)


def test_short_time_work_is_divided_by_the_head_count(tables):
    tables.employ(SIREN)
    for n, staff in ((3, 10), (6, 8), (27, 40)):
        tables.connection.execute(
            "update clean_effectif_ent set effectif_ent = $1 where periode = $2", [staff, add_months(MONTH, -n)]
        )
    tables.add("clean_ap", "siren periode heures_consommees", (SIREN, "2023-01-01", 350.0), (SIREN, "2023-02-01", 9e6))
    tables.add(
        "stg_apdemande", "siret motif_recours heures date_statut periode_debut periode_fin",
        (SIREN + "00019", 1, 3100.0, "2023-03-31", "2023-03-01", "2023-03-31"),
    )  # fmt: skip
    tables.make("feat_effectif", "feat_company_month", "feat_activite_partielle", "feat_matrix")
    columns = "effectif_variation3m effectif_variation24m ap_consommee_par_effectif ap_autorisee_par_effectif"
    assert tables.row_of("feat_matrix", columns) == (0.25, -0.75, 35, pytest.approx(310))


def test_payment_behaviour_is_a_mean_of_what_became_known_in_twelve_months_and_its_changes(tables):
    tables.add(
        "clean_paydex_mesure", "siren date_valeur paydex fpi_30 fpi_90",
        (SIREN, "2022-01-15", 5, 0.1, 0.0),  # known a year before
        (SIREN, "2022-03-15", 90, 0.9, 0.9),  # became known more than twelve months before the end of March
        (SIREN, "2022-10-15", 20, 0.2, 0.1), (SIREN, "2023-02-15", 40, 0.5, 0.3), (SIREN, "2023-03-15", 99, 1.0, 1.0),
    )  # fmt: skip
    tables.make("feat_paiement")
    mean, *changes = tables.row_of("feat_paiement", "paydex_mean12m fpi_30_diff12m fpi_90_diff12m")
    # April 2022, when the second one became known, is the first of the twelve months.
    assert mean == pytest.approx((90 + 20 + 40) / 3)
    assert changes == [pytest.approx(0.4), pytest.approx(0.3)]


RATIOS = "siren date_fin_exercice date_publication ebe_sur_ca"


def test_a_ratio_changes_since_the_accounts_of_the_year_before_once_they_were_known(tables):
    tables.add(
        "clean_ratios_version", RATIOS,
        (SIREN, "2020-12-31", "2021-06-30", 0.90),
        (SIREN, "2021-02-28", "2023-03-31", 0.30),  # deposited late, on the day of the cut-off
        (SIREN, "2022-02-28", "2022-09-30", 0.10),
        (OTHER, "2021-02-28", "2023-04-01", 0.30),  # and a day after
        (OTHER, "2022-02-28", "2022-09-30", 0.10),
    )  # fmt: skip
    tables.make("feat_comptes")
    rows = tables.row_of("feat_comptes", "siren ebe_sur_ca ebe_sur_ca_diff12m")
    assert rows == [(SIREN, 0.10, pytest.approx(-0.20)), (OTHER, 0.10, None)]


def test_growth_of_sales_compares_public_accounts_of_one_kind(tables):
    tables.add(
        "stg_ratios_inpi_bce",
        "siren date_cloture_exercice type_bilan confidentiality chiffre_d_affaires caf_sur_ca couverture_des_interets",
        (SIREN, "2020-12-31", "C", "Public", 100.0, 4.0, 10.0), (SIREN, "2021-12-31", "C", "Public", 80.0, 5.0, 20.0),
        (SIREN, "2021-12-31", "K", "Public", 900.0, 6.0, 30.0),  # consolidated accounts count, without a year before
        (SIREN, "2022-12-31", "C", "Public", 1.0, 7.0, 40.0),  # known on 31 July 2023
        (OTHER, "2020-12-31", "S", "Public", 100.0, 4.0, 10.0),
        (OTHER, "2021-12-31", "S", "Partiellement confidentiel", 0.0, 0.0, 0.0),
        ("400000003", "2020-12-31", "S", None, 100.0, 4.0, 10.0), ("400000003", "2021-12-31", "S", None, 120.0, 0.0, 2.0),
    )  # fmt: skip
    tables.make("feat_comptes")
    rows = tables.row_of("feat_comptes", "siren ca_variation12m caf_sur_ca couverture_des_interets age_comptes")
    assert rows == [
        (SIREN, None, 0.06, 0.30, None),
        (OTHER, None, None, None, None),
        ("400000003", pytest.approx(0.2), 0.0, 0.02, None),
    ]


def _opening(siren, published, *, withdrawn=None, kind="liquidation", stage="ouverture"):
    return siren, published, withdrawn, kind, stage


PROCEDURE = "siren date_publication date_retrait action_procol stade_procol"


def test_the_failures_of_a_sector_are_those_published_in_the_last_twelve_months(tables):
    sirens = [f"4000000{n:02d}" for n in range(10)]
    tables.employ(*sirens, months=10)
    tables.add("clean_filter", "siren", ("499999999",))
    tables.add(
        "clean_sirene_ul", "siren naf_section departement categorie_juridique",
        *((siren, "F" if n < 5 else "G", "75", "5710") for n, siren in enumerate(sirens)), ("499999999", "F", "75", "5710"),
    )  # fmt: skip
    tables.add(
        "clean_procedure", PROCEDURE,
        _opening(sirens[0], "2022-04-01"), _opening(sirens[0], "2022-05-01"),  # a company fails once
        _opening(sirens[1], "2023-03-31", kind="redressement"),
        _opening(sirens[2], "2022-03-31"), _opening(sirens[3], "2023-04-01"),  # before and after the year
        _opening(sirens[4], "2023-01-01", withdrawn="2023-03-31"),
        _opening(sirens[5], "2023-01-01", withdrawn="2023-04-01"),  # corrected after the cut-off: it still counts
        _opening(sirens[6], "2023-01-01", kind="sauvegarde"), _opening(sirens[7], "2023-01-01", stage="plan_continuation"),
        _opening("499999999", "2023-01-01"),  # never known to have had staff
    )  # fmt: skip
    tables.make("feat_effectif", "feat_company_month", "feat_contexte", "feat_matrix")
    rows = tables.row_of("feat_contexte", "axe code entreprises defaillantes")
    assert rows == [
        ("departement", "75", 10, 3),
        ("forme", "57", 10, 3),
        ("section", "F", 5, 2),
        ("section", "G", 5, 1),
    ]
    country = 3 / 10
    rates = tables.row_of(
        "feat_matrix", "taux_defaillance_section taux_defaillance_departement taux_defaillance_forme", where="siren = '400000000'"
    )  # fmt: skip
    assert rates == (pytest.approx((2 + 200 * country) / 205), None, pytest.approx(country))


def test_a_site_that_closes_while_another_opens_has_moved(tables):
    tables.employ(SIREN, OTHER, "400000003")
    first, second, third = (SIREN + nic for nic in ("00011", "00029", "00037"))
    tables.add(
        "clean_sirene_histo", "siret date_debut est_actif",
        (first, "2010-01-01", True), (first, "2022-01-10", False), (second, "2022-02-10", True),  # moved, in 31 days
        (second, "2023-03-31", False), (third, "2023-04-01", True),  # known to have moved a day after the cut-off
        (OTHER + "00011", "2010-01-01", True), (OTHER + "00029", "2010-01-01", True), (OTHER + "00029", "2022-01-10", False),
    )  # fmt: skip
    tables.make("feat_effectif", "feat_company_month")
    rows = tables.row_of("feat_company_month", "siren demenagements_24m")
    assert rows == [(SIREN, 1), (OTHER, 0), ("400000003", None)]


def test_a_group_counts_its_head_and_a_company_without_a_group_is_unknown(tables):
    tables.employ(SIREN, OTHER, "400000003", "400000004")
    tables.add("clean_ellisphere", "siren siren_groupe", (SIREN, "400000003"), (OTHER, "400000003"))
    tables.make("feat_effectif", "feat_company_month")
    rows = tables.row_of("feat_company_month", "siren taille_groupe")
    assert rows == [(SIREN, 3), (OTHER, 3), ("400000003", 3), ("400000004", None)]
    # Groups have no date: nobody knew them before the month they were delivered for.
    tables.delivered(add_months(MONTH, 1))
    tables.make("feat_company_month")
    assert {size for _, size in tables.row_of("feat_company_month", "siren taille_groupe")} == {None}


def test_a_lag_is_the_value_known_at_the_cut_off_of_its_month_and_unknown_without_that_month(tables):
    tables.employ(SIREN, OTHER)
    tables.connection.execute("delete from clean_effectif_ent where siren = $1 and periode < '2021-01-01'", [OTHER])
    tables.add(
        "clean_paydex_mesure", "siren date_valeur paydex",
        (SIREN, "2021-02-15", 12), (SIREN, "2021-03-15", 30), (SIREN, "2022-06-15", 60),
    )  # fmt: skip
    tables.add("stg_debit", DEBIT, _debit(SIREN, 1, "2021-03-31", 200.0), _debit(SIREN, 2, "2021-04-01", 800.0))
    names = [table.name for table in FEATURES if table.name != "feat_matrix"]
    tables.make(*names, first=add_months(MONTH, -24), last=MONTH)
    tables.make(LAGS.name)
    columns = (
        "siren paydex_lag12m paydex_lag24m dette_par_effectif_lag24m dette_sociale_patronale_lag24m effectif_lag36m"
    )
    assert tables.row_of(LAGS.name, columns) == [(SIREN, 30, 12, 10, 200, None), (OTHER, None, None, None, None, None)]


def test_accounts_filed_again_count_from_their_deposit_on(tables):
    versions = "siren date_fin_exercice date_publication date_remplacement ebe_sur_ca"
    tables.add(
        "clean_ratios_version", versions,
        (SIREN, "2021-12-31", "2022-06-30", "2023-03-31", 0.10), (SIREN, "2021-12-31", "2023-03-31", None, 0.20),
        (SIREN, "2020-12-31", "2021-06-30", "2023-04-01", 0.50), (SIREN, "2020-12-31", "2023-04-01", None, 0.60),
    )  # fmt: skip
    tables.make("feat_comptes", first=add_months(MONTH, -1), last=add_months(MONTH, 1))
    seen = [
        tables.row_of("feat_comptes", "ebe_sur_ca ebe_sur_ca_diff12m", month=add_months(MONTH, n)) for n in (-1, 0, 1)
    ]
    assert seen == [
        (0.10, pytest.approx(-0.40)),
        (0.20, pytest.approx(-0.30)),
        (0.20, pytest.approx(-0.40)),
    ]


def test_until_a_demand_is_decided_again_its_former_decision_counts(tables):
    tables.add(
        "stg_apdemande", "id_demande siret motif_recours heures date_statut periode_debut periode_fin",
        ("D", SIREN + "00019", 1, 3100.0, "2023-01-01", "2023-03-01", "2023-03-31"),
        ("D", SIREN + "00019", 1, 31.0, "2023-04-01", "2023-03-01", "2023-03-31"),  # known a day after the cut-off
        ("E", OTHER + "00019", 1, 3100.0, "2023-01-01", "2023-03-01", "2023-03-31"),
        ("E", OTHER + "00019", 1, 31.0, "2023-03-31", "2023-03-01", "2023-03-31"),
        (None, OTHER + "00027", 1, 310.0, "2023-01-01", "2023-03-01", "2023-03-31"),  # without a number: each is a demand
        (None, OTHER + "00035", 1, 310.0, "2023-02-01", "2023-03-01", "2023-03-31"),
    )  # fmt: skip
    tables.make("feat_activite_partielle")
    rows = tables.row_of("feat_activite_partielle", "siren ap_heures_autorisees")
    assert rows == [(SIREN, pytest.approx(3100)), (OTHER, pytest.approx(31 + 310 + 310))]


def test_a_measure_counts_from_its_day_wherever_the_cut_off_falls_in_the_month(tables):
    tables.add("clean_paydex_mesure", "siren date_valeur paydex", (SIREN, "2023-02-05", 10), (SIREN, "2023-02-25", 70))
    tables.make("feat_paiement", shift=-10)
    assert tables.row_of("feat_paiement", "paydex") == (10,)


def test_a_head_office_created_after_the_cut_off_is_not_yet_the_head_office(tables):
    tables.employ(SIREN, OTHER)
    tables.add(
        "clean_sirene", "siren siret siege departement est_actif date_creation",
        (SIREN, SIREN + "00011", False, "75", True, "2010-01-01"), (SIREN, SIREN + "00029", False, "33", True, "2015-01-01"),
        (SIREN, SIREN + "00037", True, "13", True, "2023-04-01"),
        (OTHER, OTHER + "00011", False, "75", False, "2010-01-01"), (OTHER, OTHER + "00029", True, "13", True, "2023-03-31"),
    )  # fmt: skip
    tables.make("feat_effectif", "feat_company_month", last=add_months(MONTH, 1))
    assert tables.row_of("feat_company_month", "siren departement") == [(SIREN, "75"), (OTHER, "13")]
    later = tables.row_of("feat_company_month", "siren departement", month=add_months(MONTH, 1))
    assert later == [(SIREN, "13"), (OTHER, "13")]
