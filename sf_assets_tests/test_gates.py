"""The gate: nothing reads a month that was not judged sound, in this run or in any later one."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.engine.quality.tables import CHECK_VERDICTS
from sf_assets.engine.quality.verdicts import check_months, record_verdicts, require_passed
from sf_assets.engine.storage import Session
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.schema import Column, Table, between, not_null
from sf_assets_tests.gated import ADVICE, APRIL, BAD, FEBRUARY, GOOD, JUDGED_AT, MARCH, ODD, UP, GatedGraph


@pytest.fixture
def graph(tmp_path: Path) -> GatedGraph:
    return GatedGraph(tmp_path)


def failure_of(result: dg.ExecuteInProcessResult, step: str) -> str:
    (event,) = (event for event in result.get_step_failure_events() if event.step_key == step)
    return str(event.step_failure_data.user_failure_data.description)


def evaluations_of(result: dg.ExecuteInProcessResult) -> Mapping[str, dg.AssetCheckEvaluation]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def test_a_month_that_passes_opens_the_gate(graph: GatedGraph) -> None:
    graph.amounts[MARCH] = GOOD
    result = graph.run("up", "down")
    assert result.success
    assert graph.reached == [MARCH]
    assert [evaluation.passed for evaluation in evaluations_of(result).values()] == [True] * len(graph.suite.checks)


def test_a_failed_check_stops_the_same_run_with_counts_and_advice(graph: GatedGraph) -> None:
    graph.amounts[MARCH] = BAD
    result = graph.run("up", "down")
    assert not result.success
    assert graph.attempts == []
    evaluation = evaluations_of(result)["montant_in_range"]
    assert (evaluation.severity, evaluation.blocking) == (dg.AssetCheckSeverity.ERROR, True)
    assert evaluation.partition == "2026-03-01"
    metadata = {name: value.value for name, value in evaluation.metadata.items()}
    assert (metadata["rule"], metadata["month"], metadata["advice"]) == ("montant_in_range", "2026-03", ADVICE)
    assert (metadata["unexpected"], metadata["total"], metadata["percent"]) == (4, 4, 100.0)
    assert metadata["sample_keys"] == [{"siret": f"{i:014}"} for i in range(4)]
    assert 'where not ("montant" >= 0 and "montant" <= ' in metadata["sql"]


def test_a_later_run_of_the_downstream_alone_is_blocked_without_retry_with_the_reason(graph: GatedGraph) -> None:
    graph.amounts[MARCH] = BAD
    graph.run("up")
    result = graph.run("down")
    assert not result.success
    assert f"up, 2026-03: montant_in_range refuses 4 of 4. {ADVICE}" in failure_of(result, "down")
    assert (graph.attempts, graph.reached) == ([MARCH], [])


def test_each_month_is_blocked_or_open_by_its_own_checks(graph: GatedGraph) -> None:
    graph.amounts |= {MARCH: BAD, APRIL: GOOD}
    graph.run("up", month=MARCH)
    graph.run("up", month=APRIL)
    assert not graph.run("down", month=MARCH).success
    assert graph.run("down", month=APRIL).success
    assert graph.statuses("montant_in_range") == {"2026-03-01": "FAILED", "2026-04-01": "SUCCEEDED"}


def test_a_failed_note_is_reported_but_blocks_neither_this_run_nor_a_later_one(graph: GatedGraph) -> None:
    graph.amounts[MARCH] = ODD
    result = graph.run("up", "down")
    evaluation = evaluations_of(result)["montant_usual"]
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    # A mean is right or wrong as a whole.
    assert evaluation.metadata["total"].value == 4
    assert not {"unexpected", "percent", "previous_unexpected", "previous_percent"} & evaluation.metadata.keys()
    assert result.success
    assert graph.obstacles(MARCH) == []


def test_a_check_that_raises_blocks_this_run_and_later_ones_with_its_error(graph: GatedGraph) -> None:
    graph.suite = Suite("up", UP, (between("nosuch", 0, 1, ADVICE),))
    graph.amounts[MARCH] = GOOD
    result = graph.run("up", "down")
    assert not result.success
    assert graph.attempts == []
    assert "Could not run for 2026-03" in str(evaluations_of(result)["nosuch_in_range"].description)
    (obstacle,) = graph.obstacles(MARCH)
    assert "up, 2026-03: nosuch_in_range could not run" in obstacle


def test_a_note_that_raises_is_reported_as_an_error_but_blocks_nothing(graph: GatedGraph) -> None:
    graph.suite = Suite("up", UP, (between("nosuch", 0, 1, ADVICE, "warning"),))
    graph.amounts[MARCH] = GOOD
    result = graph.run("up", "down")
    assert evaluations_of(result)["nosuch_in_range"].severity == dg.AssetCheckSeverity.ERROR
    assert result.success


def test_a_backfill_in_one_run_checks_every_month_on_its_own(graph: GatedGraph) -> None:
    graph.amounts |= {FEBRUARY: GOOD, MARCH: BAD, APRIL: GOOD}
    result = graph.backfill("up", first=FEBRUARY, last=APRIL)
    assert not result.success
    refused = [result for result in result.get_asset_check_evaluations() if not result.passed]
    assert [(one.partition, one.description) for one in refused] == [("2026-03-01", "Refused for 2026-03: 4 of 4.")]
    assert graph.statuses("montant_in_range") == {
        "2026-02-01": "SUCCEEDED",
        "2026-03-01": "FAILED",
        "2026-04-01": "SUCCEEDED",
    }
    assert graph.all_current("montant_in_range")
    assert [len(graph.obstacles(month)) for month in (FEBRUARY, MARCH, APRIL)] == [0, 1, 0]


def test_one_check_runs_alone_and_leaves_the_verdicts_of_the_others(graph: GatedGraph) -> None:
    graph.amounts[MARCH] = BAD
    graph.run("up")
    graph.write(MARCH, amount=GOOD)
    (check,) = graph.check_alone("montant_in_range").get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.partition) == ("montant_in_range", True, "2026-03-01")
    assert [line.split(" ran ")[0] for line in graph.obstacles(MARCH)] == [
        "- up, 2026-03: siret_present",
        "- up, 2026-03: key_unique",
        "- up, 2026-03: numbers_finite",
    ]


def test_a_run_of_checks_without_a_month_checks_every_month_that_has_verdicts(graph: GatedGraph) -> None:
    graph.amounts |= {MARCH: GOOD, APRIL: GOOD}
    graph.backfill("up", first=MARCH, last=APRIL)
    graph.write(APRIL, amount=BAD)
    found = graph.check_alone("montant_in_range", month=None).get_asset_check_evaluations()
    assert {one.partition: one.passed for one in found} == {"2026-03-01": True, "2026-04-01": False, None: False}
    assert found[-1].description == "2 months checked, 1 refused. Refused for 2026-04: 4 of 4."
    assert graph.statuses("montant_in_range")["2026-04-01"] == "FAILED"


def test_checks_of_an_asset_without_any_month_say_what_to_do(graph: GatedGraph) -> None:
    (event,) = graph.check_alone("montant_in_range", month=None).get_step_failure_events()
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    assert "Materialise up for a month." in str(failure.description)


def test_one_failed_month_closes_the_gate_for_all_months_read_together(graph: GatedGraph) -> None:
    graph.write(MARCH)
    graph.write(APRIL, amount=BAD)
    graph.check(MARCH, APRIL)
    assert graph.obstacles(MARCH, APRIL) == [f"- up, 2026-04: montant_in_range refuses 4 of 4. {ADVICE}"]


def test_a_month_whose_checks_never_ran_is_blocked(graph: GatedGraph) -> None:
    graph.write(MARCH, APRIL)
    graph.check(APRIL)
    assert [line.split(". ")[0] for line in graph.obstacles(MARCH)] == [
        "- up, 2026-03: siret_present never ran",
        "- up, 2026-03: key_unique never ran",
        "- up, 2026-03: numbers_finite never ran",
        "- up, 2026-03: montant_in_range never ran",
    ]


def test_a_warehouse_without_any_verdict_blocks(graph: GatedGraph) -> None:
    graph.write(MARCH)
    assert len(graph.obstacles(MARCH)) == 4


def test_a_check_added_since_blocks_until_it_runs(graph: GatedGraph) -> None:
    graph.write(MARCH)
    graph.check(MARCH)
    graph.suite = Suite("up", UP, (*graph.suite.rules, not_null("montant", ADVICE)))
    (obstacle,) = graph.obstacles(MARCH)
    assert "montant_present never ran. Run the checks of up for this month." in obstacle
    graph.check(MARCH)
    assert graph.obstacles(MARCH) == []


@pytest.mark.parametrize("rows", [5, 0])
def test_a_verdict_on_an_older_write_is_void_until_the_checks_run_again(graph: GatedGraph, rows: int) -> None:
    graph.write(MARCH)
    graph.check(MARCH)
    graph.write(MARCH, rows=rows)
    assert all("ran on an older write of the month" in line for line in graph.obstacles(MARCH))
    assert len(graph.obstacles(MARCH)) == 4
    graph.check(MARCH)
    assert graph.obstacles(MARCH) == []


def test_the_same_rows_written_again_keep_their_verdicts(graph: GatedGraph) -> None:
    graph.write(MARCH)
    graph.check(MARCH)
    graph.write(MARCH)
    assert graph.obstacles(MARCH) == []


def test_writing_another_month_leaves_a_verdict_valid(graph: GatedGraph) -> None:
    graph.write(MARCH)
    graph.check(MARCH)
    graph.write(APRIL)
    assert graph.obstacles(MARCH) == []


def test_a_probe_blocks_like_a_rule(graph: GatedGraph) -> None:
    def refuse(_: Session, month: date) -> Outcome:
        return Outcome(passed=month != MARCH, unexpected_count=1, element_count=1)

    graph.suite = Suite("up", probes=(Probe("as_promised", refuse, "the file is whole", ADVICE),))
    graph.check(MARCH, APRIL)
    assert graph.obstacles(MARCH, APRIL) == [f"- up, 2026-03: as_promised refuses 1 of 1. {ADVICE}"]


def test_verdicts_have_one_row_per_check_and_month_with_the_snapshot_of_the_checked_write(graph: GatedGraph) -> None:
    graph.write(MARCH, APRIL)
    graph.check(MARCH, APRIL, run_id="first")
    graph.check(MARCH, run_id="second")
    rows = graph.warehouse.query("select * from lake.check_verdicts")
    assert set(rows.columns) == {"month", *CHECK_VERDICTS.column_names}
    march = rows.filter(rows["month"] == MARCH)
    assert sorted(march["check_name"]) == sorted(check.name for check in graph.suite.checks)
    assert set(march["run_id"]) == {"second"}
    assert set(rows.filter(rows["month"] == APRIL)["run_id"]) == {"first"}
    assert set(rows["judged_at"]) == {JUDGED_AT.replace(tzinfo=None)}
    written = graph.warehouse.query("select max(snapshot_id) as n from lake.up where month = $month", {"month": MARCH})
    assert set(march["snapshot"]) == set(written["n"])


def test_the_state_of_an_asset_that_shares_a_table_is_that_of_its_own_rows(graph: GatedGraph) -> None:
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

    with graph.warehouse.session() as session:
        arrive(session, "debit", "delai")
        for asset, suite in suites.items():
            record_verdicts(session, asset, check_months(session, suite, [MARCH]), run_id="run", judged_at=JUDGED_AT)
        arrive(session, "debit", file="other")
        require_passed(session, [("src_delai", MARCH)], suites)
        with pytest.raises(Blocked, match="src_debit, 2026-03: fine ran on an older write"):
            require_passed(session, [("src_debit", MARCH), ("src_delai", MARCH)], suites)


def test_the_checks_of_a_reversed_range_of_months_are_refused(graph: GatedGraph) -> None:
    result = graph.recheck(first=APRIL, last=FEBRUARY)
    (event,) = result.get_step_failure_events()
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    assert "found 2026-04-01 to 2026-02-01, which holds none" in str(failure.description)
