"""What an operator may take upon themself: one failed check, for one month, until its rows are written again."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality.acceptances import CHECK_ACCEPTANCES, Acceptance
from sf_assets.engine.quality.rules import Suite
from sf_assets.operations.acceptance import CannotAccept, accept, lines
from sf_assets.vocabulary.schema import between
from sf_assets_tests.gated import ADVICE, APRIL, BAD, GOOD, MARCH, ODD, GatedGraph

AT = datetime(2026, 4, 4, 9, 15, tzinfo=UTC)
REASON = "URSSAF confirmed the credit notes"


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a graph whose March is refused by one check; tests work on copies."""
    folder = tmp_path_factory.mktemp("refused")
    made = GatedGraph(folder)
    made.write(MARCH, amount=BAD)
    made.check(MARCH)
    return folder


@pytest.fixture
def graph(refused: Path, tmp_path: Path) -> GatedGraph:
    shutil.copytree(refused, tmp_path / "graph")
    made = GatedGraph(tmp_path / "graph")
    made.amounts |= {MARCH: BAD, APRIL: BAD}
    return made


def accepted(
    graph: GatedGraph, check: str = "montant_in_range", *, reason: str = REASON, by: str = "C. Duval"
) -> Acceptance:
    with graph.warehouse.session() as session:
        return accept(session, graph.suite, check, MARCH, reason=reason, accepted_by=by, accepted_at=AT)


def test_an_accepted_check_no_longer_blocks_its_month(graph: GatedGraph) -> None:
    assert len(graph.obstacles(MARCH)) == 1
    accepted(graph)
    assert graph.obstacles(MARCH) == []
    assert graph.run("down").success
    assert graph.reached == [MARCH]


def test_an_acceptance_is_stored_with_reason_name_time_and_count_of_refused_rows(graph: GatedGraph) -> None:
    accepted(graph)
    (row,) = graph.warehouse.query("select * from lake.check_acceptances").iter_rows(named=True)
    assert set(row) == {"month", *CHECK_ACCEPTANCES.column_names}
    assert (row["month"], row["asset"], row["check_name"]) == (MARCH, "up", "montant_in_range")
    assert (row["reason"], row["accepted_by"], row["accepted_at"]) == (REASON, "C. Duval", AT.replace(tzinfo=None))
    assert (row["unexpected_count"], row["element_count"]) == (4, 4)


def test_an_acceptance_holds_for_its_month_only(graph: GatedGraph) -> None:
    graph.write(APRIL, amount=BAD)
    graph.check(APRIL)
    accepted(graph)
    assert [line.split(": ")[0] for line in graph.obstacles(MARCH, APRIL)] == ["- up, 2026-04"]


def test_the_same_rows_written_again_leave_an_acceptance_in_force(graph: GatedGraph) -> None:
    accepted(graph)
    graph.write(MARCH, amount=BAD)
    assert graph.obstacles(MARCH) == []
    assert graph.run("up", "down").success


def test_the_next_write_of_other_rows_ends_an_acceptance(graph: GatedGraph) -> None:
    accepted(graph)
    graph.write(MARCH, amount=BAD - 1)
    assert all("ran on an older write" in line for line in graph.obstacles(MARCH))
    graph.check(MARCH)
    assert graph.obstacles(MARCH) == [f"- up, 2026-03: montant_in_range refuses 4 of 4. {ADVICE}"]


def test_checking_the_same_rows_again_leaves_an_acceptance_in_force(graph: GatedGraph) -> None:
    accepted(graph)
    graph.check(MARCH)
    assert graph.obstacles(MARCH) == []


def test_a_verdict_that_refuses_more_of_the_same_rows_ends_an_acceptance(graph: GatedGraph) -> None:
    graph.suite = Suite("up", graph.suite.table, (between("montant", -10, None, ADVICE),))
    graph.write(MARCH, amount=-20)
    with graph.warehouse.session() as session:
        session.connection.execute("update lake.up set montant = 1 where siret > lpad('1', 14, '0')")
    graph.check(MARCH)
    accepted(graph)
    assert graph.obstacles(MARCH) == []
    graph.suite = Suite("up", graph.suite.table, (between("montant", 2, None, ADVICE),))
    graph.check(MARCH)
    assert "montant_in_range refuses 4 of 4" in graph.obstacles(MARCH)[0]


def test_the_check_of_an_accepted_month_names_the_author_and_blocks_no_run(graph: GatedGraph) -> None:
    accepted(graph)
    result = graph.recheck("down")
    assert result.success
    assert graph.reached == [MARCH]
    (evaluation,) = (one for one in result.get_asset_check_evaluations() if one.check_name == "montant_in_range")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert f"Accepted for 2026-03 by C. Duval: {REASON}" in str(evaluation.description)
    assert evaluation.metadata["accepted"].value == f"Accepted for 2026-03 by C. Duval: {REASON}"


def test_a_range_of_months_with_one_accepted_blocks_for_the_others(graph: GatedGraph) -> None:
    accepted(graph)
    graph.write(APRIL, amount=BAD)
    graph.check(APRIL)
    result = graph.recheck("down", first=MARCH, last=APRIL)
    assert not result.success
    assert graph.attempts == []
    found = {one.partition: one for one in result.get_asset_check_evaluations() if one.check_name == "montant_in_range"}
    severities = {month: one.severity for month, one in found.items()}
    assert severities == {"2026-03-01": dg.AssetCheckSeverity.WARN, "2026-04-01": dg.AssetCheckSeverity.ERROR}
    assert "Accepted for 2026-03 by C. Duval" in str(found["2026-03-01"].description)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (
            "montant_usual",
            "expected a check that blocks, one of key_unique, montant_in_range, numbers_finite, siret_present",
        ),
        ("nosuch", "expected a check that blocks"),
        ("key_unique", "expected a failed check, found one that passed"),
    ],
)
def test_only_a_failed_check_that_blocks_can_be_accepted(graph: GatedGraph, check: str, expected: str) -> None:
    with pytest.raises(CannotAccept, match=f"up, 2026-03, {check}: {expected}"):
        accepted(graph, check)


def test_a_check_that_raised_cannot_be_accepted_nor_is_covered_by_an_earlier_acceptance(graph: GatedGraph) -> None:
    accepted(graph)
    graph.suite = Suite("up", graph.suite.table, (between("nosuch", 0, 1, ADVICE),))
    graph.check(MARCH)
    with pytest.raises(CannotAccept, match="could not run"):
        accepted(graph, "nosuch_in_range")
    assert "could not run" in graph.obstacles(MARCH)[0]


def test_a_check_that_never_ran_cannot_be_accepted(tmp_path: Path) -> None:
    graph = GatedGraph(tmp_path)
    graph.write(MARCH, amount=BAD)
    with pytest.raises(CannotAccept, match="never ran\\. Run the checks first"):
        accepted(graph)
    assert len(graph.obstacles(MARCH)) == 4


def test_a_verdict_on_an_older_write_cannot_be_accepted(graph: GatedGraph) -> None:
    graph.write(MARCH, amount=ODD)
    with pytest.raises(CannotAccept, match="expected a verdict on the last write"):
        accepted(graph)


@pytest.mark.parametrize(("reason", "by"), [("", "C. Duval"), (REASON, "  ")])
def test_an_acceptance_needs_a_reason_and_a_name(graph: GatedGraph, reason: str, by: str) -> None:
    with pytest.raises(CannotAccept, match="expected a reason and a name"):
        accepted(graph, reason=reason, by=by)


def test_an_acceptance_is_listed_with_whether_it_still_holds(
    graph: GatedGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SUITES, "up", graph.suite)
    accepted(graph)
    line = f"up, montant_in_range: 4 of 4, accepted by C. Duval on 2026-04-04 09:15 UTC: {REASON}"
    with graph.warehouse.session() as session:
        assert list(lines(session, MARCH)) == [f"{line} (in force)"]
        assert list(lines(session, APRIL)) == []
    graph.write(MARCH, amount=GOOD)
    with graph.warehouse.session() as session:
        assert list(lines(session, MARCH)) == [f"{line} (void)"]
