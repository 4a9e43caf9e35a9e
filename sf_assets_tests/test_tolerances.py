"""Tolerances: a number of a month against its bounds, the last sound month and what is usual."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from sf_assets.catalogue import SUITES
from sf_assets.partitions import add_months
from sf_assets.quality import Outcome, Suite
from sf_assets.quality import history as module
from sf_assets.quality.acceptances import Acceptance, record_acceptance
from sf_assets.quality.history import probes_of
from sf_assets.quality.measures import Margin, Tolerance, emptiest, middle, newest
from sf_assets.quality.tolerances import TOLERANCES
from sf_assets.quality.verdicts import judge_months, record
from sf_assets.schema import Column, Table
from sf_assets.storage import Session, Warehouse

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
            rows = "select 1.0::double as montant limit 0" if amount is None else f"select {amount}::double as montant"
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
