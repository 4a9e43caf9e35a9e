"""Every blocking check fails on rows planted to break it, and passes on valid rows, on its real tables in memory."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

import pytest

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.vocabulary.schema import Rule, no_rows
from sf_assets_dev.documentation import page
from sf_assets_dev.faults.breaches import Breach, Rows, breaches_of
from sf_assets_dev.faults.planting import Planted, blocking, planted

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
def test_every_blocking_check_fails_on_its_breaches_and_passes_on_valid_rows(place: Planted, asset: str) -> None:
    proofs = [place.prove(*named(asset, check), breach) for owner, check, breach in PROVEN if owner == asset]
    failed = [(proof.check.name, str(proof.breach), proof.green, proof.red) for proof in proofs if not proof.holds]
    assert failed == []


def test_a_new_blocking_check_without_rows_that_break_it_is_not_proven() -> None:
    rule = no_rows("new_rule", "select * from {batch} where siege", "Look.")
    probe = Probe("new_probe", lambda _session, _month: Outcome(passed=True), "all is well", "Look.")
    suite = replace(SUITES["stg_sirene"], rules=(rule,), probes=(probe,))
    assert [breaches_of(suite, check) for check in suite.checks] == [(), ()]


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("select * from {batch} where siege is null", True),
        ("select * from {batch} where coalesce(siege, false) is null", False),  # cannot fail
        ("select * from {batch} where siege is null or siege", False),  # refuses ordinary rows
        ("select * from {batch} where siege is null and error('no judgement')", False),  # fails for another reason
    ],
)
def test_a_check_is_proven_only_if_it_fails_on_the_bad_rows_alone(place: Planted, query: str, *, holds: bool) -> None:
    breach = Breach((Rows(), Rows("null as siege")), green=(Rows(), Rows()))
    assert place.prove(SUITES["stg_sirene"], no_rows("seat", query, "Look."), breach).holds is holds


def test_a_probe_that_looks_at_another_month_or_source_is_not_proven(place: Planted) -> None:
    (probe,) = (check for check in SUITES["src_debit"].probes if check.name == "as_promised")
    breach = Breach((Rows("'cut' as fault"),))
    assert place.prove(SUITES["src_debit"], probe, breach).holds
    assert not place.prove(SUITES["src_procol"], probe, breach).holds


def test_the_catalogue_publishes_how_many_checks_are_proven_and_by_which_rows() -> None:
    text = page("faults.md")
    proven = sum(bool(breaches) for breaches in CHECKS.values())
    assert f"\n{proven} of {len(CHECKS)} proven" in text
    table = text[text.index("## Every blocking check") :].splitlines()
    lines = [line[2:-2].split(" | ") for line in table if line.startswith("| ")][1:]
    published = {(asset.strip("`"), check) for check, _, assets in lines for asset in assets.split(", ")}
    assert published == set(CHECKS)
    assert ["siege_present", "a row and a row with `null as siege`", "`stg_sirene`"] in lines
