"""The population guard: each of its checks passes on a usual month and is red on one that lost its companies."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.clean import tolerances as clean
from sf_assets.engine.quality.rules import Outcome
from sf_assets.engine.quality.verdicts import Verdict, record_verdicts
from sf_assets.engine.storage import Session, Warehouse
from sf_assets.features import tolerances as features
from sf_assets.staging import tolerances as staging
from sf_assets.staging.tables import FILTER_IMPORT, IMPORTS
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.schema import Table

MONTH = date(2026, 12, 1)
BLACKLIST, FOLLOWED, COMPANIES = (TABLES[name] for name in ("siren_blacklist", "clean_filter", "feat_company_month"))
# The perimeter of the issue: of some 400 companies, the switch left three.
PERIMETER = 420


def sirens(table: Table, count: int, first: int = 0) -> str:
    others = ", ".join(f"null::{c.type} as {c.name}" for c in table.columns if c.name != "siren")
    return (
        f"select printf('%09d', n) as siren{', ' * bool(others)}{others} from range({first}, {first + count}) as t(n)"
    )


def left_out(category: int = 12, activity: int = 30, seat: int = 8) -> dict[Table, str]:
    """Return the rows of a blacklist with so many companies for each reason, and of the perimeter it is taken from."""
    flags = ("motif_categorie_juridique", "motif_activite", "motif_siege")
    bounds = (0, category, category + activity, category + activity + seat)
    columns = ", ".join(f"n >= {bounds[i]} and n < {bounds[i + 1]} as {name}" for i, name in enumerate(flags))
    rows = f"select printf('%09d', n) as siren, {columns} from range({bounds[-1]}) as t(n)"
    return {BLACKLIST: rows, FILTER_IMPORT: sirens(FILTER_IMPORT, PERIMETER)}


def imported(
    source: str, outside: int = 0, copies: int = 0, others: int = 0, *, explicit: bool = False
) -> dict[Table, str]:
    """Return the account of a source of a thousand records, beside a perimeter of the month's own when `explicit`."""
    filtered = outside + copies + others
    values = {
        "records": 1000, "accepted": 1000 - filtered, "filtered": filtered, "quarantined": 0, "cells": 0, "corrected": 0,
        "outside": outside, "copies": copies,
    }  # fmt: skip
    row = ", ".join(f"{count}::bigint as {name}" for name, count in values.items())
    rows = f"select '{source}' as source, 'x.csv' as file, {row}"
    if explicit:
        rows += (
            f" union all select 'filter', 'filter.csv', {', '.join('1' if n < 2 else '0' for n in range(len(values)))}"
        )
    return {IMPORTS: rows}


@dataclass(frozen=True, slots=True)
class Case:
    """A check of an asset, its usual month and one that must be refused, with a part of its statement."""

    check: str
    asset: str
    usual: dict[Table, str]
    bad: dict[Table, str]
    expected: str


CASES = (
    Case("followed_like_before", "clean_filter",
         {FOLLOWED: sirens(FOLLOWED, 395)} | left_out(), {FOLLOWED: sirens(FOLLOWED, 3)} | left_out(seat=375),
         "Counts by reason: motif_siege 375, motif_activite 30, motif_categorie_juridique 12."),
    Case("companies_like_before", "feat_company_month",
         {COMPANIES: sirens(COMPANIES, 395)}, {COMPANIES: sirens(COMPANIES, 3)}, "expected not under"),
    Case("motif_siege_like_before", "siren_blacklist", left_out(), left_out(seat=30), "motif_siege 30"),
    Case("motif_activite_like_before", "siren_blacklist", left_out(), left_out(activity=0), "motif_activite 0"),
    Case("motif_categorie_juridique_like_before", "siren_blacklist", left_out(), left_out(category=40),
         "motif_categorie_juridique 40"),
    Case("few_left_out", "siren_blacklist", left_out(), left_out(seat=200), "expected at most 0.5"),
    Case("outside_like_before", "stg_debit", imported("debit", outside=400), imported("debit", outside=990),
         "outside the perimeter 990, copies 0, left out by the rule of the source 0"),
    Case("copies_like_before", "stg_apdemande", imported("apdemande", copies=3), imported("apdemande", copies=500),
         "outside the perimeter 0, copies 500, left out by the rule of the source 0"),
    Case("not_ours_like_before", "stg_sirene", imported("sirene"), imported("sirene", others=970),
         "outside the perimeter 0, copies 0, left out by the rule of the source 970"),
)  # fmt: skip
# Tolerances of the same layers that watch identifiers and places, not how many companies are followed.
OTHERS = {"departments_there", "known_to_the_register"}
BY_CHECK = {case.check: case for case in CASES}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("population")
    warehouse = Warehouse(catalog=str(folder / "catalog.sqlite"), data_path=str(folder / "tables"), threads=1)
    with warehouse.session() as session:
        yield session


def judged(session: Session, case: Case, month: date, rows: dict[Table, str]) -> Outcome:
    """Write the rows of a month, judge the check on it and keep the verdict."""
    session.replace(rows, where={"month": month}, author="test", message="test")
    (probe,) = (probe for probe in SUITES[case.asset].probes if probe.name == case.check)
    outcome = probe.run(session, month)
    verdict = Verdict(case.asset, month, probe, outcome, None)
    record_verdicts(session, case.asset, {month: [verdict]}, run_id="test", judged_at=datetime(2027, 1, 8, tzinfo=UTC))
    return outcome


def test_each_check_of_the_guard_has_a_case_and_blocks() -> None:
    guards = [
        *(tolerance for layer in (clean, features) for tolerance in layer.TOLERANCES if tolerance.name not in OTHERS),
        *(tolerance for tolerance in staging.TOLERANCES if "filtered as" in tolerance.measure),
    ]
    assert set(BY_CHECK) == {tolerance.name for tolerance in guards}
    for tolerance in guards:
        assert tolerance.severity == "error"
        for asset in tolerance.assets:
            assert tolerance.name in {check.name for check in SUITES[asset].checks}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.check)
def test_a_collapse_blocks_with_counts_by_reason(session: Session, case: Case) -> None:
    for back in (2, 1):
        assert judged(session, case, add_months(MONTH, -back), case.usual).passed
    assert judged(session, case, MONTH, case.usual).passed
    outcome = judged(session, case, MONTH, case.bad)
    assert not outcome.passed
    assert case.expected in outcome.statement


def test_a_first_month_that_leaves_most_companies_out_blocks(session: Session) -> None:
    first = date(2020, 1, 1)
    outcome = judged(session, BY_CHECK["few_left_out"], first, left_out(seat=390, category=0, activity=0))
    assert not outcome.passed
    assert outcome.statement == (
        "share of the perimeter left out: 0.9286; expected at most 0.5. Counts by reason: motif_siege 390, "
        "motif_activite 0, motif_categorie_juridique 0."
    )


@pytest.mark.parametrize("case", ["outside_like_before", "copies_like_before", "not_ours_like_before"])
def test_a_month_with_an_explicit_perimeter_is_not_compared(session: Session, case: str) -> None:
    found = BY_CHECK[case]
    rows = imported(found.asset.removeprefix("stg_"), outside=999, explicit=True)
    outcome = judged(session, found, add_months(MONTH, 1), rows)
    assert outcome.passed
    assert outcome.value is None
