"""Tolerances: a number of a month against its bounds, the last month that passed and the usual level."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.clean import tolerances as clean
from sf_assets.engine.quality.acceptances import Acceptance, record_acceptance
from sf_assets.engine.quality.measures import (
    Margin,
    Tolerance,
    geometric_mean,
    newest_month_age,
    newest_row_age,
    smallest_month_share,
)
from sf_assets.engine.quality.measuring import measure
from sf_assets.engine.quality.rules import Outcome, Suite
from sf_assets.engine.quality.tolerance_checks import probes_of
from sf_assets.engine.quality.verdicts import check_months, record_verdicts
from sf_assets.engine.storage import Session, Warehouse
from sf_assets.engine.storage.catalog import Catalog
from sf_assets.features import tolerances as features
from sf_assets.lists import tolerances as lists
from sf_assets.lists.tables import LIST_VERSIONS
from sf_assets.model import tolerances as model
from sf_assets.sources import tolerances as sources
from sf_assets.sources.arrival import ARRIVALS
from sf_assets.sources.registry import SOURCES
from sf_assets.staging import tolerances as staging
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.schema import Column, Table

TOLERANCES = tuple(
    tolerance for layer in (sources, staging, clean, features, model, lists) for tolerance in layer.TOLERANCES
)
JUDGED_AT = datetime(2026, 4, 3, 6, 30, tzinfo=UTC)
FIRST = date(2025, 1, 1)
DEBTS = Table("debts", "one debt", (Column("montant", "DOUBLE", "what is owed", unit="€"),))
USUAL = Tolerance(
    "usual",
    ("debts",),
    "sum of debts",
    "select sum(montant) from {batch}",
    "debts move slowly",
    "Ask URSSAF.",
    low=10,
    change=Margin(0.2, 0.2),
    level=Margin(0.5, 0.5),
)


class Series:
    """The months of a table that holds one amount, checked one after the other."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.month = FIRST
        self.ask(USUAL)

    def ask(self, tolerance: Tolerance) -> None:
        self.suite = Suite("debts", DEBTS, probes=probes_of("debts", DEBTS, [tolerance]))

    def add(self, *amounts: float | None) -> Outcome:
        """Write and check one month for each amount; return the last outcome. None writes no row."""
        for amount in amounts:
            rows = (
                "select 1.0::double as montant limit 0" if amount is None else f"select '{amount}'::double as montant"
            )
            self.session.replace({DEBTS: rows}, where={"month": self.month}, author="test", message="test")
            verdicts = check_months(self.session, self.suite, [self.month])
            record_verdicts(self.session, "debts", verdicts, run_id="test", judged_at=JUDGED_AT)
            (self.verdict,) = verdicts[self.month]
            self.month = add_months(self.month, 1)
        return self.verdict.outcome

    def accept(self) -> None:
        """Accept the last verdict."""
        outcome = self.verdict.outcome
        given = Acceptance(
            "debts", self.verdict.month, "usual", "a new rule", "Anne", JUDGED_AT.replace(tzinfo=None),
            self.verdict.snapshot, outcome.unexpected_count, outcome.element_count,
        )  # fmt: skip
        record_acceptance(self.session, given)


@pytest.fixture
def series(tmp_path: Path) -> Iterator[Series]:
    warehouse = Warehouse(catalog=str(tmp_path / "catalog.sqlite"), data_path=str(tmp_path / "tables"), threads=1)
    with warehouse.session() as session:
        yield Series(session)


def test_the_first_month_is_compared_with_bounds_alone_and_the_statement_says_it(series: Series) -> None:
    found = series.add(1000)
    assert found.passed
    assert found.statement == "sum of debts: 1,000, no earlier month that passed to compare with."


def test_a_bound_holds_from_the_first_month(series: Series) -> None:
    found = series.add(9)
    assert not found.passed
    assert found.statement.endswith("expected at least 10.")


@pytest.mark.parametrize(("amount", "passed"), [(119, True), (121, False), (81, True), (79, False)])
def test_a_month_is_compared_with_the_one_before(series: Series, amount: float, passed: object) -> None:
    assert series.add(100, amount).passed is passed


def test_the_statement_gives_the_earlier_values_and_the_expected_ones(series: Series) -> None:
    assert series.add(100, 100, 130).statement == (
        "sum of debts: 130, 100 in 2025-02, usually 100; expected not over 120 (2025-02 100)."
    )


def test_small_steps_do_not_lead_far_from_the_usual_level(series: Series) -> None:
    found = series.add(100, 100, 100, 100, 118, 139, 160)
    assert not found.passed
    assert "usual 100" in found.statement


def test_a_refused_month_is_never_a_reference(series: Series) -> None:
    assert not series.add(100, 1000).passed
    assert not series.add(1000).passed
    assert series.add(101).passed


def test_an_accepted_month_is_the_new_reference(series: Series) -> None:
    series.add(100, 100, 100, 200)
    series.accept()
    assert series.add(210).passed
    assert not series.add(100).passed


def test_a_month_without_anything_to_measure_passes_and_is_no_reference(series: Series) -> None:
    assert series.add(100, None).statement == "sum of debts: nothing to measure."
    assert not series.add(200).passed


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), float("-inf")])
def test_a_measure_that_is_no_number_is_refused_and_never_a_reference(series: Series, amount: float) -> None:
    series.ask(replace(USUAL, low=None))
    refused = series.add(100, amount)
    assert not refused.passed
    assert f"sum of debts: {amount}" in refused.statement
    assert "expected a number" in refused.statement
    series.accept()
    assert series.add(5000).passed  # No month is a reference any more.
    assert not series.add(50).passed


def test_a_difference_below_the_minimum_passes(series: Series) -> None:
    series.ask(replace(USUAL, min_difference=40))
    assert series.add(100, 139).passed
    assert not series.add(190).passed


def test_a_margin_may_be_in_the_unit_of_the_measure(series: Series) -> None:
    series.ask(replace(USUAL, change=Margin(None, 3), level=None, relative=False))
    assert series.add(100, 103).passed
    assert not series.add(107).passed
    assert series.add(20).passed


def test_months_older_than_a_year_are_no_reference(series: Series) -> None:
    series.add(100)
    series.month = add_months(series.month, 12)
    assert series.add(500).passed


def test_every_tolerance_is_a_check_of_each_of_its_assets_with_a_reason_and_advice() -> None:
    for tolerance in TOLERANCES:
        assert set(tolerance.assets) <= set(SUITES), tolerance.name
        for asset in tolerance.assets:
            (check,) = (check for check in SUITES[asset].checks if check.name == tolerance.name)
            assert check.severity == tolerance.severity
        assert len(tolerance.reason.split()) > 5
        assert tolerance.advice.endswith((".", "?"))
        assert [tolerance.low, tolerance.high, tolerance.change, tolerance.level] != [None] * 4


# A value of each type that differs between rows, and between months.
_VALUES = {
    "VARCHAR": "lpad((i % 40)::varchar, 9, '0')",
    "DATE": "(month - to_days(11 * i::integer))::date",
    "TIMESTAMP": "month + to_hours(i::integer)",
    "BOOLEAN": "i % 3 = 0",
}


def test_every_number_of_several_months_at_once_is_that_of_each_month_alone() -> None:
    months = [date(2026, 9, 1), date(2026, 10, 1)]
    with duckdb.connect(config={"threads": 1}) as connection:
        # In parallel, the last digit of a sum of doubles varies.
        connection.execute("attach ':memory:' as lake; set threads = 1")
        judged = {suite.table.name: suite.table for suite in SUITES.values() if suite.table}
        for table in (TABLES | judged | {LIST_VERSIONS.name: LIST_VERSIONS}).values():
            columns = ", ".join(
                f"cast({_VALUES.get(column.type, 'i + month(month)')} as {column.type}) as {column.name}"
                for column in table.columns
                if "[]" not in column.type
            )
            connection.execute(
                f"create table lake.{table.name} as select month, {columns} "
                "from (select unnest([date '2026-09-01', date '2026-10-01']) as month), range(100) t(i)"
            )
        session = Session(Catalog("catalog.sqlite", "tables"), connection)
        numbers = 0
        for asset, suite in SUITES.items():
            if suite.tolerances and suite.table:
                together, *alone = (
                    measure(session, asset, suite.table, suite.tolerances, some, scope=suite.scope, histories={})
                    for some in (months, *([month] for month in months))
                )
                assert together == alone[0] | alone[1]
                numbers += sum(one.value is not None for found in together.values() for one in found.values())
        assert numbers > 50


def measured(query: str, rows: str) -> float | None:
    text = query.replace("{batch}", f"({rows})").replace("{month}", "date '2025-09-01'")
    ((found,),) = duckdb.sql(text).fetchall()
    return found


MONTHS = "select d::date as periode, 10 as n from generate_series(date '2022-01-01', date '2025-06-01', interval 1 month) t(d)"


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("select unnest([100.0, 0, -5, null]) as x", 100),
        ("select unnest([0.0, null]) as x", 0),
        ("select 1.0 as x where false", None),
    ],
)
def test_amounts_that_are_all_zero_measure_zero_and_no_row_nothing(rows: str, found: float | None) -> None:
    assert measured(geometric_mean("x"), rows) == (pytest.approx(found) if found else found)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (MONTHS, 1),
        (f"{MONTHS} where d <> '2025-01-01'", 0),
        (MONTHS.replace("10 as n", "0 as n"), 0),
        (MONTHS.replace("10 as n", "if(d = '2024-05-01', 4, 10) as n"), 0.4),
        # The newest month is still being declared: in the real excerpt it has a fifth of its rows.
        (MONTHS.replace("10 as n", "if(d = '2025-06-01', 2, 10) as n"), 1),
        # What was missing three years ago is known by now.
        (f"{MONTHS} where d <> '2022-08-01'", 1),
        (f"{MONTHS} where false", None),
    ],
)
def test_a_month_that_is_missing_or_empty_among_the_last_two_years_is_seen(rows: str, found: float | None) -> None:
    assert measured(smallest_month_share("periode", "sum(n)"), rows) == found


@pytest.mark.parametrize(
    ("rows", "found"),
    [(MONTHS, 3), (f"{MONTHS} union all select date '2025-07-01', 1", 3), (f"{MONTHS} where false", None)],
)
def test_the_newest_month_is_the_last_that_has_its_rows(rows: str, found: int | None) -> None:
    assert measured(newest_month_age("periode", "sum(n)"), rows) == found


def test_a_record_whose_correction_was_refused_too_counts_once() -> None:
    (refused,) = (tolerance for tolerance in TOLERANCES if tolerance.name == "refused_like_before")
    query = refused.query.format(month="date '2025-09-01'", source="debit")
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("attach ':memory:' as lake")
        connection.execute(
            "create table lake.stg_import as select date '2025-09-01' as month, 'debit' as source, * from (values "
            "('d.csv', 100, 10, 0)) as t (file, records, quarantined, corrected)"
        )
        alone = connection.execute(query).fetchall()
        connection.execute(
            "insert into lake.stg_import values ('2025-09-01', 'debit', '2509/corrections/d.csv', 10, 10, 0)"
        )
        assert connection.execute(query).fetchall() == alone == [(0.1,)]


DAYS = "select d::date as j from generate_series(date '2024-01-01', date '{}', interval {} day) t(d)"


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (DAYS.format("2025-09-28", 1), 3),
        (DAYS.format("2025-08-28", 1), 34),
        # A day of another century is another check's; few announcements fall on any day.
        (f"{DAYS.format('2025-09-28', 1)} union all select date '2052-01-01'", 3),
        (DAYS.format("2025-09-28", 10), None),
    ],
)
def test_an_export_of_last_month_is_seen_by_its_newest_announcement(rows: str, found: int | None) -> None:
    assert measured(newest_row_age("j"), rows) == found


def test_every_source_is_compared_with_its_last_delivery_but_lists_that_people_write() -> None:
    compared = {
        asset for tolerance in TOLERANCES if tolerance.name == "lines_like_before" for asset in tolerance.assets
    }
    # A perimeter, the rights and the answers of officers are as long as people make them.
    by_hand = {"filter", "acces", "retour"}
    # What shares the files of another source is compared with that source's deliveries.
    assert compared == {f"src_{source.name}" for source in SOURCES if source.name not in by_hand and not source.shares}


@pytest.mark.parametrize(
    ("lines", "passed"), [(9000, True), (12000, True), (7000, False), (20000, False), (None, True)]
)
def test_an_optional_file_that_shrinks_or_doubles_is_refused_and_one_that_stays_away_is_not(
    series: Series, lines: int | None, passed: object
) -> None:
    (tolerance,) = (t for t in TOLERANCES if t.name == "lines_like_before" and "src_bodacc" in t.assets)
    suite = Suite(
        "src_bodacc",
        ARRIVALS,
        probes=probes_of("src_bodacc", ARRIVALS, [tolerance], source="bodacc"),
        scope={"source": "bodacc"},
    )
    for month, count in ((FIRST, 10000), (add_months(FIRST, 1), None), (add_months(FIRST, 2), lines)):
        values = {"source": "'bodacc'", "file": "'a'", "lines": str(count or 0)}
        row = ", ".join(f"{values.get(c.name, 'null')}::{c.type} as {c.name}" for c in ARRIVALS.columns)
        row = f"select {row} where {count is not None}"
        series.session.replace(
            {ARRIVALS: row}, where={"month": month, "source": "bodacc"}, author="test", message="test"
        )
        verdicts = check_months(series.session, suite, [month])
        record_verdicts(series.session, "src_bodacc", verdicts, run_id="test", judged_at=JUDGED_AT)
    assert verdicts[month][0].outcome.passed is passed
