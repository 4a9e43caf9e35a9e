"""The mode of open data alone, from files to features: who is followed, what is known of them, and from which day."""

from datetime import date

import pytest

from sf_assets.features.registry import FEATURES_OF
from sf_assets.sources.known import KNOWN
from sf_assets.sources.registry import sources_in
from sf_assets.vocabulary.modes import OPEN
from sf_assets.vocabulary.partitions import add_months, cutoff_of
from sf_assets_tests import plain
from sf_assets_tests.later import rewrite_later, rewritten, split

BATCH = date(2024, 6, 1)
MONTH = date(2023, 3, 1)
CUTOFF = cutoff_of(MONTH)
NAMES = [feature.name for feature in FEATURES_OF[OPEN]]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A small synthetic batch of open files through staging, as a database file that tests copy."""
    return plain.staged_world(tmp_path_factory.mktemp("open"), BATCH, OPEN, companies=250)


@pytest.fixture
def copy(world, tmp_path):
    with plain.copied(world, tmp_path) as connection:
        yield connection


def rows(connection, first=MONTH, last=MONTH):
    connection.execute("drop table if exists clean_tranche")
    plain.clean(connection, BATCH)
    plain.features(connection, first, last, delivered=BATCH, mode=OPEN)
    return connection.execute("select * from feat_matrix where month = $1 order by siren", [MONTH]).fetchall()


def test_open_features_are_known_and_take_several_values(copy):
    found = rows(copy, add_months(MONTH, -24), BATCH)
    assert len(found) > 100
    counts = copy.execute(
        f"select {', '.join(f'count(distinct {name})' for name in NAMES)} from feat_matrix"
    ).fetchone()
    assert [name for name, count in zip(NAMES, counts, strict=True) if count < 2] == []


def test_no_row_of_a_protected_source_is_read(copy):
    rows(copy)
    read = {source.table for source in sources_in(OPEN)}
    filled = [
        name
        for (name,) in copy.execute("select table_name from duckdb_tables() where table_name like 'stg_%'").fetchall()
        if copy.execute(f"select count(*) from {name}").fetchone()[0]
    ]
    assert set(filled) <= read | {"stg_filter_import"}
    assert copy.execute("select count(*) from clean_debit").fetchone() == (0,)


def test_whatever_was_published_after_the_cutoff_changes_nothing(copy):
    before = rows(copy)
    split(copy, CUTOFF)
    later = [
        source.name
        for source in sources_in(OPEN)
        if KNOWN[source.name].is_dated and copy.execute(f"select count(*) from after_{source.name}").fetchone()[0]
    ]
    assert later == ["sirene", "sirene_ul", "sirene_histo", "sirene_tranche", "ratios_inpi_bce", "bodacc"]
    rewrite_later(copy)
    plain.perimeter_of_bands(copy, BATCH)
    assert rows(copy) == before


def test_values_published_before_the_cutoff_change_the_features(copy):
    rows(copy)
    before = copy.execute("from feat_matrix where month = $1", [MONTH]).pl()
    split(copy, CUTOFF)
    copy.execute(f"update stg_ratios_inpi_bce set {rewritten('ratios_inpi_bce')}")
    copy.execute(
        "update stg_sirene_tranche set effectif_minimum = 50 where annee_effectif < 2021 and hash(siren) % 2 = 0"
    )
    copy.execute("delete from stg_bodacc where hash(siren) % 2 = 0")
    copy.execute("update stg_sirene_histo set date_debut = date_debut + 400 where date_debut < date '2022-01-01'")
    copy.execute("update stg_sirene set departement = '2B' where hash(siret) % 2 = 0")
    rows(copy)
    after = copy.execute("from feat_matrix where month = $1", [MONTH]).pl()
    both = before.join(after, on="siren", suffix="_after")
    assert both.height > 50
    changed = {name for name in NAMES if not both[name].equals(both[f"{name}_after"])}
    moved = {source for feature in FEATURES_OF[OPEN] if feature.name in changed for source in feature.sources}
    assert moved >= {"ratios_inpi_bce", "sirene_tranche", "bodacc", "sirene_histo", "sirene"}


def follow(copy, *bands: tuple[int, int]):
    """Give the first company followed these bands, as (year, least number of people), and return its months since 2019."""
    (siren,) = copy.execute("select min(siren) from feat_company_month").fetchone()
    copy.execute("delete from stg_sirene_tranche where siren = $1", [siren])
    copy.executemany("insert into stg_sirene_tranche values ($1, $2, $3)", [[siren, *band] for band in bands])
    plain.perimeter_of_bands(copy, BATCH)
    rows(copy, date(2019, 1, 1), BATCH)
    query = """
        select month, tranche_effectif, age_tranche, tranche_variation12m from feat_company_month
        join feat_tranche using (month, siren) where siren = $1 order by month
    """
    return copy.execute(query, [siren]).fetchall()


def test_a_company_is_followed_from_the_publication_of_a_band_that_reaches_the_minimum(copy):
    rows(copy)
    followed = follow(copy, (2018, 6), (2019, 10), (2020, 20), (2021, 6), (2022, 6))
    # The band of 2019 is published in March 2021: until then the company has less than ten people.
    assert [followed[0][0], followed[-1][0]] == [date(2021, 3, 1), BATCH]
    assert {month: least for month, least, *_ in followed if month.month == 3} == {
        date(2021, 3, 1): 10, date(2022, 3, 1): 20, date(2023, 3, 1): 6, date(2024, 3, 1): 6,
    }  # fmt: skip
    assert followed[0][2:] == (15.0, 1.0)
    # From twenty to fewer than ten people: two bands lower.
    assert {month: moves for month, _, _, moves in followed}[date(2023, 3, 1)] == -2


def test_a_company_whose_last_band_is_old_or_says_nobody_is_not_followed(copy):
    rows(copy)
    assert follow(copy, (2019, 20), (2020, 20))[-1][0] == date(2024, 2, 1)
    assert follow(copy, (2019, 20), (2020, 0))[-1][0] == date(2022, 2, 1)


def test_an_unknown_band_is_no_zero(copy):
    assert copy.execute("select count(*) from stg_sirene_tranche where effectif_minimum is null").fetchone() == (0,)
    (read,) = copy.execute("select count(distinct siren) from stg_sirene_tranche").fetchone()
    (units,) = copy.execute("select count(*) from stg_sirene_ul").fetchone()
    assert 0 < read < units


def test_a_delivered_band_counts_from_its_batch_when_it_comes_before_the_delay(copy):
    rows(copy)
    found = copy.execute("select distinct annee_effectif, connue_le from clean_tranche order by 1").fetchall()
    assert found[-1] == (2022, date(2024, 3, 31))
    copy.execute("insert into stg_sirene_tranche select siren, 2023, 20 from clean_filter")
    rows(copy)
    assert copy.execute("select max(connue_le) from clean_tranche where annee_effectif = 2023").fetchone() == (
        cutoff_of(BATCH),
    )


def test_bands_of_earlier_batches_stay_in_the_perimeter(copy):
    rows(copy)
    (before,) = copy.execute("select count(*) from clean_filter").fetchone()
    copy.execute("delete from stg_sirene_tranche")
    plain.perimeter_of_bands(copy, add_months(BATCH, 1))
    assert copy.execute("select count(*) from stg_filter_import").fetchone()[0] >= before > 0


def test_accounts_that_stop_being_published_are_missing_three_months_after_they_were_due(copy):
    rows(copy)
    (siren,) = copy.execute("select min(siren) from feat_company_month").fetchone()
    copy.execute("delete from stg_ratios_inpi_bce where siren = $1", [siren])
    closed = "$1 as siren, date '2020-12-31' as date_cloture_exercice, 'C' as type_bilan"
    copy.execute(f"insert into stg_ratios_inpi_bce by name select {closed}", [siren])
    rows(copy, date(2021, 6, 1), date(2022, 12, 1))
    query = "select month, depot_manquant, age_comptes_publies from feat_registre where siren = $1 order by month"
    months = {month: (missing, age) for month, missing, age in copy.execute(query, [siren]).fetchall()}
    assert months[date(2021, 6, 1)] == (None, None)
    assert months[date(2021, 7, 1)][0] == 0
    # Accounts closed in December 2021 would be known in July 2022.
    assert months[date(2022, 9, 1)][0] == 0
    assert months[date(2022, 10, 1)][0] == 1
