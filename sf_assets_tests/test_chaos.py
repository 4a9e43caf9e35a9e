"""Writers killed at random moments leave whole months; the trial itself sees what is torn, doubled or locked."""

from datetime import date
from pathlib import Path

import pytest

from sf_assets.engine.storage import Warehouse
from sf_assets_dev.chaos.checking import is_as_undisturbed, stored
from sf_assets_dev.chaos.trial import Trial
from sf_assets_dev.chaos.writing import MOMENTS, MONTHS, months_written, write
from sf_assets_dev.servers.missing import NoServer
from sf_assets_dev.servers.postgres import postgres

ROWS = 300


def test_two_kills_on_either_catalog_leave_whole_months(either_warehouse: Warehouse) -> None:
    outcomes = Trial(either_warehouse, seed=5, rows=ROWS).kills(2)
    assert [outcome.name.removeprefix("killed ") for outcome in outcomes] == list(MOMENTS)
    assert sum(outcome.strokes for outcome in outcomes) == 2
    assert [outcome for outcome in outcomes if not outcome.ended_well] == []


def test_a_restarted_server_leaves_whole_months(tmp_path: Path) -> None:
    try:
        with postgres() as server:
            warehouse = Warehouse(catalog=f"postgres:{server.dsn}", data_path=str(tmp_path / "tables"))
            outcome = Trial(warehouse, seed=5, rows=ROWS).disturbances("restarted", 1, lambda _draw: server.restart())
    except NoServer as missing:
        pytest.skip(str(missing))
    assert (outcome.strokes, outcome.ended_well) == (1, True)


@pytest.mark.parametrize(
    ("spoil", "torn", "doubled"),
    [
        ("delete from lake.debts where siren = '7' and month = date '2026-01-01'", 1, 0),
        ("insert into lake.features from lake.features where month = date '2026-02-01'", 0, 1),
        ("update lake.debts set numero = 1 where siren < '2' and month = date '2026-03-01'", 1, 0),
        ("delete from lake.features where month = date '2026-04-01'", 1, 0),
    ],
)
def test_torn_months_and_doubled_rows_are_seen(warehouse: Warehouse, spoil: str, torn: int, doubled: int) -> None:
    with warehouse.session() as session:
        write(session, MONTHS, 0, ROWS)
        write(session, months_written(5, 2), 2, ROWS)
        whole = stored(session, 5, ROWS)
        assert (whole.newest, whole.torn, whole.doubled) == (2, 0, 0)
        session.connection.execute(spoil)
        spoilt = stored(session, 5, ROWS)
        assert (spoilt.torn >= torn, spoilt.doubled) == (True, doubled)
        assert torn == 0 or spoilt.torn > 0


def test_a_transaction_that_is_in_some_of_its_months_only_is_seen(warehouse: Warehouse) -> None:
    number = next(n for n in range(1, 50) if len(months_written(5, n)) == 2)
    with warehouse.session() as session:
        write(session, MONTHS, 0, ROWS)
        write(session, months_written(5, number)[:1], number, ROWS)
        assert stored(session, 5, ROWS).torn == 1
        assert is_as_undisturbed(session, ROWS)
        assert session.months("debts") == list(MONTHS)
    assert date(2026, 1, 1) in MONTHS
