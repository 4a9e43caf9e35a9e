"""Labelled rows: the months asked for, read from their files alone."""

import re
from collections.abc import Iterator
from datetime import date

import pytest

from sf_assets.engine.storage import Session, Warehouse, frame_of
from sf_assets.features.tables import MATRIX
from sf_assets.model.rows import LABELLED_ROWS, load_rows, sample_rows
from sf_assets.model.tables import TARGET

MONTHS = [date(2024, month, 1) for month in range(1, 5)]
LABELLED = date(2026, 1, 1)


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    """Open a session in which two companies have features and an outcome in four months; one of them fails."""
    with warehouse.session() as opened:
        companies = [{"siren": siren, "effectif": 10.0} for siren in ("000000001", "000000002")]
        for month in MONTHS:
            frame = frame_of(MATRIX, companies)
            opened.replace({MATRIX: frame}, where={"month": month}, author="test", message="features")
        outcomes = frame_of(
            TARGET,
            (
                {"siren": one["siren"], "periode": month, "target": one["siren"].endswith("2"), "en_procedure": False}
                for one in companies
                for month in MONTHS
            ),
        )
        opened.replace({TARGET: outcomes}, where={"month": LABELLED}, author="test", message="outcomes")
        opened.bind({TARGET: LABELLED})
        opened.bind_months([MATRIX], MONTHS)
        yield opened


def test_months_apart_leave_out_those_between(session: Session) -> None:
    rows = load_rows(session, (MONTHS[0], MONTHS[2]))
    assert rows["periode"].to_list() == [MONTHS[0]] * 2 + [MONTHS[2]] * 2
    assert rows["siren"].to_list() == ["000000001", "000000002"] * 2
    assert rows["weight"].to_list() == [1.0] * 4
    assert sample_rows(session, (MONTHS[0], MONTHS[2])).equals(rows)


def test_no_month_has_no_row(session: Session) -> None:
    assert load_rows(session, ()).height == 0


def test_a_month_reads_its_own_file_of_features(session: Session) -> None:
    """A backtest loads its months one by one: each used to read the features of ten years."""
    load_rows(session, (MONTHS[1],))
    values = {"months": [MONTHS[1]], "one_in": 1, "first": MONTHS[1], "last": MONTHS[1]}
    ((_, plan),) = session.connection.execute(f"explain analyze {LABELLED_ROWS}", values).fetchall()
    assert sorted(map(int, re.findall(r"Total Files Read: (\d+)", plan))) == [1, 1], plan
