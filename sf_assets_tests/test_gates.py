"""The gate: nothing reads a month that was not judged sound, in this run or in any later one."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.engine.quality.verdicts import CHECK_VERDICTS, judge_months, record, require_passed
from sf_assets.engine.storage import Session
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.schema import Column, Table, between, not_null
from sf_assets_tests.gated import ADVICE, APRIL, BAD, FEBRUARY, GOOD, JUDGED_AT, MARCH, ODD, UP, House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def failure_of(result: dg.ExecuteInProcessResult, step: str) -> str:
    (event,) = (event for event in result.get_step_failure_events() if event.step_key == step)
    return str(event.step_failure_data.user_failure_data.description)


def evaluations_of(result: dg.ExecuteInProcessResult) -> Mapping[str, dg.AssetCheckEvaluation]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def test_a_good_month_goes_through(house: House) -> None:
    house.amounts[MARCH] = GOOD
    result = house.run("up", "down")
    assert result.success
    assert house.reached == [MARCH]
    assert [evaluation.passed for evaluation in evaluations_of(result).values()] == [True] * len(house.suite.checks)


def test_a_bad_month_stops_what_follows_in_the_same_run_and_is_told_how_to_mend_it(house: House) -> None:
    house.amounts[MARCH] = BAD
    result = house.run("up", "down")
    assert not result.success
    assert house.attempts == []
    evaluation = evaluations_of(result)["montant_in_range"]
    assert (evaluation.severity, evaluation.blocking) == (dg.AssetCheckSeverity.ERROR, True)
    assert evaluation.partition == "2026-03-01"
    told = {name: value.value for name, value in evaluation.metadata.items()}
    assert (told["rule"], told["month"], told["advice"]) == ("montant_in_range", "2026-03", ADVICE)
    assert (told["unexpected"], told["total"], told["percent"]) == (4, 4, 100.0)
    assert told["sample_keys"] == [{"siret": f"{i:014}"} for i in range(4)]
    assert "NOT (montant >= 0.0 AND montant <= " in told["sql"]


def test_a_later_run_of_the_downstream_alone_is_blocked_once_and_told_why(house: House) -> None:
    house.amounts[MARCH] = BAD
    house.run("up")
    result = house.run("down")
    assert not result.success
    assert f"up, 2026-03: montant_in_range refuses 4 of 4. {ADVICE}" in failure_of(result, "down")
    assert (house.attempts, house.reached) == ([MARCH], [])


def test_a_good_april_does_not_release_a_bad_march_nor_a_bad_march_hold_april(house: House) -> None:
    house.amounts |= {MARCH: BAD, APRIL: GOOD}
    house.run("up", month=MARCH)
    house.run("up", month=APRIL)
    assert not house.run("down", month=MARCH).success
    assert house.run("down", month=APRIL).success
    assert house.statuses("montant_in_range") == {"2026-03-01": "FAILED", "2026-04-01": "SUCCEEDED"}


def test_a_warning_is_shown_but_blocks_neither_this_run_nor_a_later_one(house: House) -> None:
    house.amounts[MARCH] = ODD
    result = house.run("up", "down")
    evaluation = evaluations_of(result)["montant_usual"]
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.success
    assert house.obstacles(MARCH) == []


def test_a_check_that_errors_blocks_this_run_and_later_ones_and_says_so(house: House) -> None:
    house.suite = Suite("up", UP, (between("nosuch", 0, 1, ADVICE),))
    house.amounts[MARCH] = GOOD
    result = house.run("up", "down")
    assert not result.success
    assert house.attempts == []
    assert "Could not be judged for 2026-03" in str(evaluations_of(result)["nosuch_in_range"].description)
    (obstacle,) = house.obstacles(MARCH)
    assert "up, 2026-03: nosuch_in_range could not be judged" in obstacle


def test_a_warning_that_errors_is_shown_as_an_error_but_blocks_nothing(house: House) -> None:
    house.suite = Suite("up", UP, (between("nosuch", 0, 1, ADVICE, "warning"),))
    house.amounts[MARCH] = GOOD
    result = house.run("up", "down")
    assert evaluations_of(result)["nosuch_in_range"].severity == dg.AssetCheckSeverity.ERROR
    assert result.success


def test_a_backfill_in_one_run_judges_every_month_on_its_own(house: House) -> None:
    house.amounts |= {FEBRUARY: GOOD, MARCH: BAD, APRIL: GOOD}
    result = house.backfill("up", first=FEBRUARY, last=APRIL)
    assert not result.success
    assert evaluations_of(result)["montant_in_range"].description == "Refused for 2026-03: 4 of 4."
    assert [len(house.obstacles(month)) for month in (FEBRUARY, MARCH, APRIL)] == [0, 1, 0]


def test_one_bad_month_shuts_the_gate_for_all_that_is_read_together(house: House) -> None:
    house.write(MARCH)
    house.write(APRIL, amount=BAD)
    house.judge(MARCH, APRIL)
    assert house.obstacles(MARCH, APRIL) == [f"- up, 2026-04: montant_in_range refuses 4 of 4. {ADVICE}"]


def test_a_month_that_was_never_judged_is_blocked(house: House) -> None:
    house.write(MARCH, APRIL)
    house.judge(APRIL)
    assert [line.split(". ")[0] for line in house.obstacles(MARCH)] == [
        "- up, 2026-03: siret_present was never judged",
        "- up, 2026-03: key_unique was never judged",
        "- up, 2026-03: montant_in_range was never judged",
    ]


def test_a_warehouse_without_any_verdict_blocks(house: House) -> None:
    house.write(MARCH)
    assert len(house.obstacles(MARCH)) == 3


def test_a_check_added_since_is_missing_until_it_is_judged(house: House) -> None:
    house.write(MARCH)
    house.judge(MARCH)
    house.suite = Suite("up", UP, (*house.suite.rules, not_null("montant", ADVICE)))
    (obstacle,) = house.obstacles(MARCH)
    assert "montant_present was never judged. Run the checks of up for this month." in obstacle
    house.judge(MARCH)
    assert house.obstacles(MARCH) == []


@pytest.mark.parametrize("rows", [5, 0])
def test_a_verdict_on_an_older_write_is_void_until_the_month_is_judged_again(house: House, rows: int) -> None:
    house.write(MARCH)
    house.judge(MARCH)
    house.write(MARCH, rows=rows)
    assert all("judged an older write of the month" in line for line in house.obstacles(MARCH))
    assert len(house.obstacles(MARCH)) == 3
    house.judge(MARCH)
    assert house.obstacles(MARCH) == []


def test_the_same_rows_written_again_keep_their_verdicts(house: House) -> None:
    house.write(MARCH)
    house.judge(MARCH)
    house.write(MARCH)
    assert house.obstacles(MARCH) == []


def test_writing_another_month_leaves_a_verdict_standing(house: House) -> None:
    house.write(MARCH)
    house.judge(MARCH)
    house.write(APRIL)
    assert house.obstacles(MARCH) == []


def test_a_probe_blocks_like_a_rule(house: House) -> None:
    def refuse(_: Session, month: date) -> Outcome:
        return Outcome(passed=month != MARCH, unexpected_count=1, element_count=1)

    house.suite = Suite("up", probes=(Probe("as_promised", refuse, "the file is whole", ADVICE),))
    house.judge(MARCH, APRIL)
    assert house.obstacles(MARCH, APRIL) == [f"- up, 2026-03: as_promised refuses 1 of 1. {ADVICE}"]


def test_verdicts_keep_one_row_per_check_and_month_with_the_write_they_judged(house: House) -> None:
    house.write(MARCH, APRIL)
    house.judge(MARCH, APRIL, run_id="first")
    house.judge(MARCH, run_id="second")
    rows = house.warehouse.query("select * from lake.check_verdicts")
    assert set(rows.columns) == {"month", *CHECK_VERDICTS.column_names}
    march = rows.filter(rows["month"] == MARCH)
    assert sorted(march["check_name"]) == sorted(check.name for check in house.suite.checks)
    assert set(march["run_id"]) == {"second"}
    assert set(rows.filter(rows["month"] == APRIL)["run_id"]) == {"first"}
    assert set(rows["judged_at"]) == {JUDGED_AT.replace(tzinfo=None)}
    written = house.warehouse.query("select max(snapshot_id) as n from lake.up where month = $month", {"month": MARCH})
    assert set(march["snapshot"]) == set(written["n"])


def test_the_state_of_an_asset_that_shares_a_table_is_that_of_its_own_rows(house: House) -> None:
    arrivals = Table("arrivals", "a file", (Column("source", "VARCHAR", "source"), Column("file", "VARCHAR", "name")))
    fine = Probe("fine", lambda *_: Outcome(passed=True), "it is fine", ADVICE)
    suites = {
        f"src_{name}": Suite(f"src_{name}", arrivals, probes=(fine,), scope={"source": name})
        for name in ("debit", "delai")
    }

    def arrive(session: Session, *names: str, file: str = "file") -> None:
        rows = " union all ".join(f"select '{name}' as source, '{file}' as file" for name in names)
        where = {"month": MARCH, "source": list(names)}
        session.replace({arrivals: rows}, where=where, author="test", message="test")

    with house.warehouse.session() as session:
        arrive(session, "debit", "delai")
        for asset, suite in suites.items():
            record(session, asset, judge_months(session, suite, [MARCH]), run_id="run", judged_at=JUDGED_AT)
        arrive(session, "debit", file="other")
        require_passed(session, [("src_delai", MARCH)], suites)
        with pytest.raises(Blocked, match="src_debit, 2026-03: fine judged an older write"):
            require_passed(session, [("src_debit", MARCH), ("src_delai", MARCH)], suites)


def test_the_checks_of_a_range_written_backwards_end_in_a_sentence(house: House) -> None:
    result = house.rejudge(first=APRIL, last=FEBRUARY)
    (event,) = result.get_step_failure_events()
    told = event.step_failure_data.user_failure_data
    assert told is not None
    assert "found 2026-04-01 to 2026-02-01, which holds none" in str(told.description)
