"""Every blocking check was seen red: rows that break it are planted on its real tables, in memory, beside rows that do not."""

from collections.abc import Iterator
from itertools import groupby

import pytest

from sf_assets.catalogue import SUITES
from sf_assets.faults.planting import Planted, blocking, planted
from sf_assets.quality import Probe, Suite
from sf_assets.schema import Rule

CHECKS = blocking()
PROVEN = [(asset, check, breach) for (asset, check), breaches in CHECKS.items() for breach in breaches]


@pytest.fixture(scope="module")
def place() -> Iterator[Planted]:
    with planted() as opened:
        yield opened


def named(asset: str, name: str) -> tuple[Suite, Rule | Probe]:
    (check,) = (check for check in SUITES[asset].checks if check.name == name)
    return SUITES[asset], check


def test_every_blocking_check_has_rows_that_break_it() -> None:
    assert [name for name, breaches in CHECKS.items() if not breaches] == []


@pytest.mark.parametrize("asset", [asset for asset, _ in groupby(PROVEN, lambda proven: proven[0])])
def test_every_blocking_check_refuses_the_rows_that_break_it_and_lets_ordinary_ones_pass(
    place: Planted, asset: str
) -> None:
    proofs = [place.prove(*named(asset, check), breach) for owner, check, breach in PROVEN if owner == asset]
    failed = [(proof.check.name, str(proof.breach), proof.green, proof.red) for proof in proofs if not proof.holds]
    assert failed == []
