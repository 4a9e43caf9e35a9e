"""Tolerances: a number of a month against its bounds, the last sound month and what is usual."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality import history as module
from sf_assets.engine.quality.acceptances import Acceptance, record_acceptance
from sf_assets.engine.quality.history import probes_of
from sf_assets.engine.quality.measures import Margin, Tolerance, emptiest, middle, newest, newest_announcement
from sf_assets.engine.quality.rules import Outcome, Suite
from sf_assets.engine.quality.tolerances import TOLERANCES
from sf_assets.engine.quality.verdicts import judge_months, record
from sf_assets.engine.storage import Session, Warehouse
from sf_assets.sources.arrival import ARRIVALS
from sf_assets.sources.registry import FILTER, SOURCES
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.schema import Column, Table

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
    """The months of a table that holds one amount, judged one after the other."""

    def __init__(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        self.session = session
        self.patch = monkeypatch
        self.month = FIRST
        self.ask(USUAL)

    def ask(self, tolerance: Tolerance) -> None:
        self.patch.setattr(module, "TOLERANCES", (tolerance,))
        self.suite = Suite("debts", DEBTS, probes=probes_of("debts", DEBTS))

    def add(self, *amounts: float | None) -> Outcome:
        """Write and judge one month for each amount; return the last outcome. None writes no row."""
        for amount in amounts:
            rows = (
                "select 1.0::double as montant limit 0" if amount is None else f"select '{amount}'::double as montant"
            )
            self.session.replace({DEBTS: rows}, where={"month": self.month}, author="test", message="test")
            verdicts = judge_months(self.session, self.suite, [self.month])
            record(self.session, "debts", verdicts, run_id="test", judged_at=JUDGED_AT)
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
def series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Series]:
    warehouse = Warehouse(catalog=str(tmp_path / "catalog.sqlite"), data_path=str(tmp_path / "tables"))
    with warehouse.session() as session:
        yield Series(session, monkeypatch)


def test_the_first_month_is_held_to_bounds_alone_and_says_so(series: Series) -> None:
    found = series.add(1000)
    assert found.passed
    assert found.statement == "sum of debts: 1,000, no sound month before it to compare with."


def test_a_bound_holds_from_the_first_month(series: Series) -> None:
    found = series.add(9)
    assert not found.passed
    assert found.statement.endswith("expected at least 10.")


@pytest.mark.parametrize(("amount", "passed"), [(119, True), (121, False), (81, True), (79, False)])
def test_a_month_is_compared_with_the_one_before(series: Series, amount: float, passed: object) -> None:
    assert series.add(100, amount).passed is passed


def test_what_was_measured_before_and_expected_is_said(series: Series) -> None:
    assert series.add(100, 100, 130).statement == (
        "sum of debts: 130, 100 in 2025-02, usually 100; expected not over 120 (2025-02 100)."
    )


def test_small_steps_do_not_lead_far_from_what_is_usual(series: Series) -> None:
    found = series.add(100, 100, 100, 100, 118, 139, 160)
    assert not found.passed
    assert "usual 100" in found.statement


def test_a_refused_month_is_never_what_others_are_compared_with(series: Series) -> None:
    assert not series.add(100, 1000).passed
    assert not series.add(1000).passed
    assert series.add(101).passed


def test_an_accepted_month_is_the_new_usual(series: Series) -> None:
    series.add(100, 100, 100, 200)
    series.accept()
    assert series.add(210).passed
    assert not series.add(100).passed


def test_a_month_without_anything_to_measure_passes_and_is_compared_with_nothing(series: Series) -> None:
    assert series.add(100, None).statement == "sum of debts: nothing to measure."
    assert not series.add(200).passed


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), float("-inf")])
def test_a_measure_that_is_no_number_is_refused_and_never_compared_with(series: Series, amount: float) -> None:
    series.ask(replace(USUAL, low=None))
    refused = series.add(100, amount)
    assert not refused.passed
    assert f"sum of debts: {amount}" in refused.statement
    assert "expected a number" in refused.statement
    series.accept()
    assert series.add(5000).passed  # Nothing is usual any more.
    assert not series.add(50).passed


def test_a_difference_under_the_least_is_chance(series: Series) -> None:
    series.ask(replace(USUAL, least=40))
    assert series.add(100, 139).passed
    assert not series.add(190).passed


def test_a_margin_may_be_in_the_unit_of_the_measure(series: Series) -> None:
    series.ask(replace(USUAL, change=Margin(None, 3), level=None, relative=False))
    assert series.add(100, 103).passed
    assert not series.add(107).passed
    assert series.add(20).passed


def test_what_is_usual_forgets_what_is_older_than_a_year(series: Series) -> None:
    series.add(100)
    series.month = add_months(series.month, 12)
    assert series.add(500).passed


def test_every_tolerance_is_asked_of_assets_that_exist_says_why_and_what_to_do() -> None:
    for tolerance in TOLERANCES:
        assert set(tolerance.assets) <= set(SUITES), tolerance.name
        for asset in tolerance.assets:
            (check,) = (check for check in SUITES[asset].checks if check.name == tolerance.name)
            assert check.severity == tolerance.severity
        assert len(tolerance.reason.split()) > 5
        assert tolerance.advice.endswith((".", "?"))
        assert [tolerance.low, tolerance.high, tolerance.change, tolerance.level] != [None] * 4


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
    assert measured(middle("x"), rows) == (pytest.approx(found) if found else found)


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
    assert measured(emptiest("periode", "sum(n)"), rows) == found


@pytest.mark.parametrize(
    ("rows", "found"),
    [(MONTHS, 3), (f"{MONTHS} union all select date '2025-07-01', 1", 3), (f"{MONTHS} where false", None)],
)
def test_the_newest_month_is_the_last_that_has_its_rows(rows: str, found: int | None) -> None:
    assert measured(newest("periode", "sum(n)"), rows) == found


def test_a_record_whose_correction_was_refused_too_counts_once() -> None:
    (refused,) = (tolerance for tolerance in TOLERANCES if tolerance.name == "refused_like_before")
    query = refused.query.format(month="date '2025-09-01'", source="debit")
    with duckdb.connect() as connection:
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
    assert measured(newest_announcement("j"), rows) == found


def test_every_source_but_the_filter_is_compared_with_its_last_delivery() -> None:
    compared = {
        asset for tolerance in TOLERANCES if tolerance.name == "lines_like_before" for asset in tolerance.assets
    }
    assert compared == {f"src_{source.name}" for source in SOURCES if source is not FILTER}


@pytest.mark.parametrize(
    ("lines", "passed"), [(9000, True), (12000, True), (7000, False), (20000, False), (None, True)]
)
def test_an_optional_file_that_shrinks_or_doubles_is_refused_and_one_that_stays_away_is_not(
    series: Series, lines: int | None, passed: object
) -> None:
    (tolerance,) = (t for t in TOLERANCES if t.name == "lines_like_before" and "src_bodacc" in t.assets)
    series.patch.setattr(module, "TOLERANCES", (tolerance,))
    suite = Suite(
        "src_bodacc", ARRIVALS, probes=probes_of("src_bodacc", ARRIVALS, source="bodacc"), scope={"source": "bodacc"}
    )
    for month, count in ((FIRST, 10000), (add_months(FIRST, 1), None), (add_months(FIRST, 2), lines)):
        row = (
            "select 'bodacc' as source, 'a' as file, 1::bigint as bytes, 'x' as sha256, 'x' as content_sha256, "
            f"now()::timestamp as delivered_at, {count or 0}::bigint as lines, {count or 0}::bigint as records, "
            f"null::varchar as fault where {count is not None}"
        )
        series.session.replace(
            {ARRIVALS: row}, where={"month": month, "source": "bodacc"}, author="test", message="test"
        )
        verdicts = judge_months(series.session, suite, [month])
        record(series.session, "src_bodacc", verdicts, run_id="test", judged_at=JUDGED_AT)
    assert verdicts[month][0].outcome.passed is passed
