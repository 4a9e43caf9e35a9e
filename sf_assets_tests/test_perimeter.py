"""The import perimeter, computed from the head-count file (rules §5.2). Comments give the specification's trap numbers."""

import duckdb
import pytest

from sf_assets.sources.nomenclatures import label_tables
from sf_assets.staging.reading import READERS
from sf_assets_tests import plain

EXAMPLE = (
    "siren;eff202341;eff202342;eff202343;eff202411",
    "512345678;15;9;9;",
    "523456789;1;;10;",
    "534567890;;;;",
    "54567;50;50;50;",
)


@pytest.fixture
def perimeter(tmp_path):
    def perimeter(*lines, months=36, minimum=10, recent=False):
        path = tmp_path / "sigfaible_effectif_siren.csv"
        path.write_text("\n".join(lines))
        with duckdb.connect(config={"threads": 1}) as connection:
            label_tables.load(connection)
            connection.execute(READERS)
            plain.perimeter(connection, path, perimeter_months=months, minimum=minimum, recent=recent)
            rows = connection.execute("select siren from stg_filter_import order by siren").fetchall()
        return [siren for (siren,) in rows]

    return perimeter


def test_the_worked_example(perimeter):  # traps 23, 24: two columns, without the last one, which is still empty
    assert perimeter(*EXAMPLE, months=2) == ["523456789"]


@pytest.mark.parametrize(("months", "companies"), [(1, 1), (3, 2), (36, 2)])
def test_the_window_counts_columns_from_the_last_filled_one(perimeter, months, companies):  # traps 23, 24
    assert len(perimeter(*EXAMPLE, months=months)) == companies


def test_the_window_uses_the_order_of_columns_not_their_months(perimeter):  # trap 23
    lines = "siren;eff202343;eff202341", "512345678;50;1", "523456789;1;50"
    assert perimeter(*lines, months=1) == ["523456789"]


def test_the_minimum_is_inclusive_and_configurable(perimeter):
    lines = "siren;eff202411", "512345678;10", "523456789;9"
    assert perimeter(*lines) == ["512345678"]
    assert perimeter(*lines, minimum=9) == ["512345678", "523456789"]


def test_recent_data_can_be_required_and_zero_is_data(perimeter):
    months = "siren;eff202341;eff202342;eff202343;eff202411;eff202412"
    lines = months, "512345678;50;;;;", "523456789;50;;0;;", "534567890;50;;;;1"
    assert perimeter(*lines) == ["512345678", "523456789", "534567890"]
    assert perimeter(*lines, recent=True) == ["523456789", "534567890"]


def test_thousands_may_be_separated_and_a_cell_without_a_head_count_is_ignored(perimeter):
    lines = "siren;eff202411;eff202412", "512345678;1 204;", "523456789;abc;", "534567890;-30;x"
    assert perimeter(*lines) == ["512345678"]


def test_a_siren_has_its_leading_zeros(perimeter):  # trap 3
    assert perimeter("siren;eff202411", "005720784;12") == ["005720784"]
