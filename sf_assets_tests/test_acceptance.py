"""What an operator may take upon themself: one failed check, for one month, until its rows are written again."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality.acceptances import CHECK_ACCEPTANCES, Acceptance
from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.quality.verdicts import judge_months, record
from sf_assets.engine.storage import Warehouse
from sf_assets.operations import acceptance
from sf_assets.operations.acceptance import CannotAccept, accept, told
from sf_assets.settings import Settings, resources_for
from sf_assets.vocabulary.schema import between
from sf_assets_tests.gated import ADVICE, APRIL, BAD, GOOD, JUDGED_AT, MARCH, ODD, House

AT = datetime(2026, 4, 4, 9, 15, tzinfo=UTC)
REASON = "URSSAF confirmed the credit notes"


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return a house whose March is refused by one check."""
    made = House(tmp_path)
    made.amounts |= {MARCH: BAD, APRIL: BAD}
    made.write(MARCH, amount=BAD)
    made.judge(MARCH)
    return made


def accepted(
    house: House, check: str = "montant_in_range", *, reason: str = REASON, by: str = "C. Duval"
) -> Acceptance:
    with house.warehouse.session() as session:
        return accept(session, house.suite, check, MARCH, reason=reason, accepted_by=by, accepted_at=AT)


def test_an_accepted_check_no_longer_blocks_its_month(house: House) -> None:
    assert len(house.obstacles(MARCH)) == 1
    accepted(house)
    assert house.obstacles(MARCH) == []
    assert house.run("down").success
    assert house.reached == [MARCH]


def test_an_acceptance_is_recorded_with_reason_name_time_and_what_was_refused(house: House) -> None:
    accepted(house)
    (row,) = house.warehouse.query("select * from lake.check_acceptances").iter_rows(named=True)
    assert set(row) == {"month", *CHECK_ACCEPTANCES.column_names}
    assert (row["month"], row["asset"], row["check_name"]) == (MARCH, "up", "montant_in_range")
    assert (row["reason"], row["accepted_by"], row["accepted_at"]) == (REASON, "C. Duval", AT.replace(tzinfo=None))
    assert (row["unexpected_count"], row["element_count"]) == (4, 4)


def test_an_acceptance_holds_for_its_month_only(house: House) -> None:
    house.write(APRIL, amount=BAD)
    house.judge(APRIL)
    accepted(house)
    assert [line.split(": ")[0] for line in house.obstacles(MARCH, APRIL)] == ["- up, 2026-04"]


def test_the_same_rows_written_again_leave_an_acceptance_in_force(house: House) -> None:
    accepted(house)
    house.write(MARCH, amount=BAD)
    assert house.obstacles(MARCH) == []
    assert house.run("up", "down").success


def test_the_next_write_of_other_rows_ends_an_acceptance(house: House) -> None:
    accepted(house)
    house.write(MARCH, amount=BAD - 1)
    assert all("judged an older write" in line for line in house.obstacles(MARCH))
    house.judge(MARCH)
    assert house.obstacles(MARCH) == [f"- up, 2026-03: montant_in_range refuses 4 of 4. {ADVICE}"]


def test_judging_the_same_rows_again_leaves_an_acceptance_in_force(house: House) -> None:
    accepted(house)
    house.judge(MARCH)
    assert house.obstacles(MARCH) == []


def test_a_graver_judgement_of_the_same_rows_ends_an_acceptance(house: House) -> None:
    house.suite = Suite("up", house.suite.table, (between("montant", -10, None, ADVICE),))
    house.write(MARCH, amount=-20)
    with house.warehouse.session() as session:
        session.connection.execute("update lake.up set montant = 1 where siret > lpad('1', 14, '0')")
    house.judge(MARCH)
    accepted(house)
    assert house.obstacles(MARCH) == []
    house.suite = Suite("up", house.suite.table, (between("montant", 2, None, ADVICE),))
    house.judge(MARCH)
    assert "montant_in_range refuses 4 of 4" in house.obstacles(MARCH)[0]


def test_the_check_of_an_accepted_month_says_who_accepted_it_and_blocks_no_run(house: House) -> None:
    accepted(house)
    result = house.rejudge("down")
    assert result.success
    assert house.reached == [MARCH]
    (evaluation,) = (one for one in result.get_asset_check_evaluations() if one.check_name == "montant_in_range")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert f"Accepted for 2026-03 by C. Duval: {REASON}" in str(evaluation.description)
    assert evaluation.metadata["accepted"].value == f"Accepted for 2026-03 by C. Duval: {REASON}"


def test_a_range_of_months_of_which_one_is_accepted_blocks_for_the_others(house: House) -> None:
    accepted(house)
    house.write(APRIL, amount=BAD)
    house.judge(APRIL)
    result = house.rejudge("down", first=MARCH, last=APRIL)
    assert not result.success
    assert house.attempts == []
    (evaluation,) = (one for one in result.get_asset_check_evaluations() if one.check_name == "montant_in_range")
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    assert "Accepted for 2026-03 by C. Duval" in str(evaluation.description)


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("montant_usual", "expected a check that blocks, one of key_unique, montant_in_range, siret_present"),
        ("nosuch", "expected a check that blocks"),
        ("key_unique", "expected a failed check, found one that passed"),
    ],
)
def test_only_a_failed_check_that_blocks_can_be_accepted(house: House, check: str, said: str) -> None:
    with pytest.raises(CannotAccept, match=f"up, 2026-03, {check}: {said}"):
        accepted(house, check)


def test_a_check_that_errored_cannot_be_accepted_nor_is_it_by_an_acceptance_from_before(house: House) -> None:
    accepted(house)
    house.suite = Suite("up", house.suite.table, (between("nosuch", 0, 1, ADVICE),))
    house.judge(MARCH)
    with pytest.raises(CannotAccept, match="could not be judged"):
        accepted(house, "nosuch_in_range")
    assert "could not be judged" in house.obstacles(MARCH)[0]


def test_a_check_that_was_never_judged_cannot_be_accepted(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write(MARCH, amount=BAD)
    with pytest.raises(CannotAccept, match="never judged\\. Run the checks first"):
        accepted(house)
    assert len(house.obstacles(MARCH)) == 3


def test_a_judgement_of_an_older_write_cannot_be_accepted(house: House) -> None:
    house.write(MARCH, amount=ODD)
    with pytest.raises(CannotAccept, match="expected a judgement of the last write"):
        accepted(house)


@pytest.mark.parametrize(("reason", "by"), [("", "C. Duval"), (REASON, "  ")])
def test_nobody_accepts_without_a_reason_and_a_name(house: House, reason: str, by: str) -> None:
    with pytest.raises(CannotAccept, match="expected a reason and a name"):
        accepted(house, reason=reason, by=by)


def test_an_acceptance_is_listed_with_whether_it_still_holds(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUITES, "up", house.suite)
    accepted(house)
    line = f"up, montant_in_range: 4 of 4, accepted by C. Duval on 2026-04-04 09:15 UTC: {REASON}"
    with house.warehouse.session() as session:
        assert list(told(session, MARCH)) == [f"{line} (in force)"]
        assert list(told(session, APRIL)) == []
    house.write(MARCH, amount=GOOD)
    with house.warehouse.session() as session:
        assert list(told(session, MARCH)) == [f"{line} (void)"]


def test_the_command_accepts_lists_and_says_why_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SF_DATA_DIR", str(tmp_path))
    warehouse: Warehouse = resources_for(Settings(data_dir=tmp_path))["warehouse"]  # type: ignore[assignment]
    suite = SUITES["stg_filter_steps"]
    with warehouse.session() as session:
        columns = ", ".join(f"cast(null as {column.type}) as {column.name}" for column in suite.table.columns)
        session.replace(
            {suite.table: f"select {columns} where false"}, where={"month": MARCH}, author="test", message="test"
        )
        record(session, suite.asset, judge_months(session, suite, [MARCH]), run_id="run", judged_at=JUDGED_AT)
    what = ["accept", "--asset", suite.asset, "--check", "not_empty", "--month", "2026-03", "--by", "C. Duval"]
    assert acceptance.main([*what, "--reason", REASON]) == 0
    assert "in force" in capsys.readouterr().out
    assert acceptance.main(["list", "--month", "2026-03"]) == 0
    assert "C. Duval on 20" in capsys.readouterr().out
    assert acceptance.main([*what, "--reason", " "]) == 1
    assert "expected a reason and a name" in capsys.readouterr().err
