"""A year of valid deliveries: no tolerance fails on the ordinary variation between months."""

from datetime import date
from pathlib import Path

import valid_months
from test_tolerances import TOLERANCES

from sf_assets.engine.storage import Warehouse
from sf_assets.vocabulary.partitions import add_months

MONTHS = [add_months(date(2024, 10, 1), n) for n in range(12)]
# Sources that the synthetic batches lack have nothing to check.
ABSENT = ("admin_urssaf", "tranche", "diane", "tva", "ellisphere", "bdf", "filter", "acces", "retour")


def test_no_blocking_check_fails_on_twelve_valid_months(tmp_path: Path) -> None:
    warehouse = Warehouse(catalog=str(tmp_path / "catalog.sqlite"), data_path=str(tmp_path / "tables"), threads=1)
    assets = [asset for asset in valid_months.ASSETS if not asset.endswith(ABSENT)]
    with warehouse.session() as session:
        valid_months.load(session, tmp_path / "incoming", MONTHS, companies=300, years=3, seed=3)
        verdicts = valid_months.judge(session, MONTHS, assets)
    refused = [
        (one.asset, one.month, one.check.name, one.outcome.statement or one.outcome.error)
        for one in verdicts
        if one.check.severity == "error" and not one.outcome.passed
    ]
    assert refused == []
    # Each month but the first was compared with those before it.
    names = {tolerance.name for tolerance in TOLERANCES if tolerance.change}
    compared = [one for one in verdicts if one.check.name in names and one.month > MONTHS[0]]
    measured = [one for one in compared if one.outcome.value is not None]
    assert len(measured) > 11 * 20
    assert all("usually" in one.outcome.statement for one in measured)
