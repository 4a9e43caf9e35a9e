"""The stability index of known distributions, the warnings of drift, and past lists compared with their outcomes."""

from collections.abc import Iterable, Mapping
from datetime import date
from statistics import NormalDist

import dagster as dg
import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from sf_assets.catalogue.tables import SUITES as CATALOGUE_SUITES
from sf_assets.catalogue.tables import TABLES
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.quality.verdicts import check_months
from sf_assets.engine.sampling import define_sampling
from sf_assets.engine.stability import stability_index
from sf_assets.engine.storage import Session, Warehouse, frame_of
from sf_assets.engine.storage.inputs import AssetMonth
from sf_assets.evaluation.assets import _VERIFICATION, eval_verification
from sf_assets.evaluation.drift import drift_rows, reference_months, reference_rows
from sf_assets.evaluation.tables import DRIFT, SUITES, VERIFICATION
from sf_assets.features.registry import NAMES
from sf_assets.features.tables import MATRIX
from sf_assets.lists.tables import ALERTS, EXPORT
from sf_assets.model.tables import EVALUATION, FITTED, TARGET
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.schema import Table

MONTH = date(2026, 10, 1)


def test_the_stability_index_is_zero_for_the_same_values_and_small_for_another_sample_of_their_distribution() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=20_000)
    assert stability_index(values, values) == 0
    assert stability_index(values, rng.normal(size=20_000)) < 0.002


def test_the_stability_index_of_a_shifted_normal_distribution_equals_the_formula_over_its_deciles() -> None:
    levels = (np.arange(200_000) + 0.5) / 200_000
    values = norm.ppf(levels)
    edges = np.append(norm.ppf(np.arange(1, 10) / 10), np.inf)
    moved = np.diff(np.append(0, norm.cdf(edges - 0.5)))
    known = np.sum((moved - 0.1) * np.log(moved / 0.1))
    assert stability_index(values, values + 0.5) == pytest.approx(known, rel=1e-3)
    assert known > 0.2


def test_a_value_that_fills_several_deciles_has_one_bin() -> None:
    rng = np.random.default_rng(0)
    reference = np.where(rng.random(10_000) < 0.95, 0, 100.0)
    twice = np.where(rng.random(10_000) < 0.90, 0, 100.0)
    p, q = np.mean(reference > 0), np.mean(twice > 0)
    known = (q - p) * np.log(q / p) + (p - q) * np.log((1 - q) / (1 - p))
    assert stability_index(reference, twice) == pytest.approx(known)


def test_unknown_values_change_the_known_share_and_not_the_stability_index() -> None:
    reference = pl.DataFrame({"paydex": [float(i) for i in range(100)], "fpi_30": [1.0] * 100})
    current = pl.DataFrame({"paydex": [float(i) if i % 2 else None for i in range(100)], "fpi_30": [None] * 100},
                           schema_overrides={"fpi_30": pl.Float64})  # fmt: skip
    known, unknown = drift_rows("variable", reference, current, ("paydex", "fpi_30")).rows(named=True)
    assert known["psi"] < 0.01
    assert (known["connus_reference"], known["connus_mois"]) == (1, 0.5)
    assert (unknown["psi"], unknown["connus_mois"], unknown["mediane_mois"]) == (None, 0, None)


def test_a_sample_of_rows_depends_on_company_and_month_only(warehouse: Warehouse) -> None:
    rows = "select lpad(i::varchar, 9, '0') as siren, date '2026-01-01' as periode from range($rows) as t (i)"
    sampled = f"select siren from ({rows}) where in_sample(siren, periode, $one_in) order by siren"
    with warehouse.session() as session:
        define_sampling(session)

        def sample(count: int, one_in: int) -> list[str]:
            return session.connection.execute(sampled, {"rows": count, "one_in": one_in}).pl()["siren"].to_list()

        some = sample(4_000, 4)
        assert sample(4_000, 1) == [f"{i:09}" for i in range(4_000)]
        assert len(some) == pytest.approx(1_000, rel=0.1)
        assert sample(2_000, 4) == [siren for siren in some if siren < "000002000"]


def put(session: Session, table: Table, frame: pl.DataFrame, month: date) -> None:
    rows = frame_of(table, frame.iter_rows(named=True))
    session.replace({table: rows}, where={"month": month}, author="test", message="test")


def test_drift_beyond_the_limits_is_a_warning_and_blocks_nothing(warehouse: Warehouse) -> None:
    rng = np.random.default_rng(0)
    frames = [pl.DataFrame({"paydex": rng.normal(size=5000), "effectif": rng.normal(at, size=5000)}) for at in (0, 1)]
    with warehouse.session() as session:
        put(session, DRIFT, drift_rows("variable", *frames, ("paydex", "effectif")), MONTH)
        judged = {one.check.name: one for one in check_months(session, SUITES[DRIFT.name], [MONTH])[MONTH]}
    drifted = judged["like_the_months_learned_from"]
    assert (drifted.outcome.passed, drifted.outcome.unexpected_count, drifted.check.severity) == (False, 1, "warning")
    assert judged["as_well_known"].outcome.passed


def test_the_reference_is_the_same_month_of_the_years_learned_from(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        for month in (date(2020, 10, 1), date(2021, 3, 1), date(2021, 10, 1), date(2022, 10, 1)):
            values = pl.DataFrame(
                {"siren": [f"{i:09}" for i in range(5)], "paydex": [month.year + month.month / 100] * 5}
            )
            put(session, MATRIX, values, month)
        learned = {"methode": ["foret"], "version": ["1"], "training_from": [date(2020, 1, 1)]}
        put(session, FITTED, pl.DataFrame(learned | {"training_to": [date(2021, 12, 1)]}), MONTH)
        session.bind({FITTED: MONTH})
        months = reference_months(session, MONTH)
        rows, again = reference_rows(session, months), reference_rows(session, months)
        other = reference_rows(session, reference_months(session, date(2026, 1, 1)))
        session.bind({FITTED: add_months(MONTH, 1)})
        assert reference_months(session, MONTH) == []
    assert months == [date(2020, 10, 1), date(2021, 10, 1)]
    assert rows["paydex"].unique().sort().to_list() == [2020.10, 2021.10]
    assert rows.height == 10
    assert rows.equals(again)
    assert rows.columns == ["siren", *NAMES]
    assert other.height == 15, "no January was learned from: all months are the reference"


def test_a_past_list_is_compared_with_the_outcomes_of_its_companies(warehouse: Warehouse) -> None:
    listed = date(2025, 3, 1)
    alerts = pl.DataFrame(
        {
            "siren": [f"{i:09}" for i in range(20)],
            "rang": pl.Series(range(1, 21), dtype=pl.Int32),
            "niveau": pl.Series([2] * 8 + [1] * 12, dtype=pl.Int32),
            "probabilite": [0.4] * 8 + [0.1] * 12,
            "methode": ["foret"] * 20,
            "scores_version": pl.Series([1] * 20, dtype=pl.Int32),
            "version": pl.Series([1] * 20, dtype=pl.Int32),
        }
    )
    # A second version, of one company, that was never published.
    draft = alerts[:1].with_columns(version=pl.lit(2, pl.Int32))
    exported = pl.DataFrame({"file": ["a", "b", "a"], "version": [1, 1, 2], "list_version": [1, 1, 1]})
    outcome = pl.DataFrame(
        {
            "siren": [f"{i:09}" for i in range(30)],
            "periode": [listed] * 30,
            "target": [i in {0, 1, 2, 9} or i >= 20 for i in range(30)],
            "en_procedure": [i == 2 for i in range(30)],
        }
    )
    promised = pl.DataFrame(
        {
            "methode": ["foret"] * 2,
            "lecture": ["hors_procedure"] * 2,
            "mesure": ["fort_precision", "modere_precision"],
            "valeur": [0.9, 0.2],
        }
    )
    with warehouse.session() as session:
        put(session, ALERTS, pl.concat([alerts, draft]), listed)
        put(session, ALERTS, alerts, date(2026, 9, 1))
        for month in (listed, date(2026, 9, 1)):
            put(session, EXPORT, exported, month)
        put(session, TARGET, outcome, MONTH)
        put(session, EVALUATION, promised, listed)
        session.bind({TARGET: MONTH})
        session.bind_months([ALERTS, EXPORT, EVALUATION], [listed, date(2026, 9, 1)])
        session.replace({VERIFICATION: _VERIFICATION.text}, where={"month": MONTH}, author="test", message="test")
        judged = {
            one.check.name: one.outcome for one in check_months(session, SUITES[VERIFICATION.name], [MONTH])[MONTH]
        }
        found = session.connection.execute("select * from lake.eval_verification order by niveau").pl()
    assert found["mois_liste"].to_list() == [listed, listed], "the outcome of September 2026 is not known yet"
    assert found["entreprises"].to_list() == [20, 8]
    assert found["suivies"].to_list() == [19, 7]
    assert found["defaillances"].to_list() == [3, 2]
    assert found["precision"].to_list() == pytest.approx([3 / 19, 2 / 7])
    low, high = found["bas"].to_list(), found["haut"].to_list()
    z = NormalDist().inv_cdf(0.975)
    centre, width = (2 + z**2 / 2) / (7 + z**2), z * np.sqrt(2 * 5 / 7 + z**2 / 4) / (7 + z**2)
    assert (low[1], high[1]) == pytest.approx((centre - width, centre + width), abs=1e-3)
    assert judged["as_announced"].unexpected_count == 1, "nine in ten were announced, two in seven failed"
    assert TABLES[VERIFICATION.name] is VERIFICATION


class RecordingGate(Gate):
    """A gate that records what a step requires, and opens for everything."""

    def __init__(self, suites: Mapping[str, Suite]) -> None:
        super().__init__(suites)
        object.__setattr__(self, "required", [])

    def require(self, _session: Session, reads: Iterable[AssetMonth]) -> None:
        self.required.extend(reads)


def test_a_verification_requires_the_gates_of_published_lists_only(
    warehouse: Warehouse,
) -> None:
    published, never, unknown = date(2024, 3, 1), date(2024, 4, 1), date(2026, 9, 1)
    alerts = pl.DataFrame({"siren": ["000000001"], "version": [1], "niveau": [2]})
    outcome = pl.DataFrame({"siren": ["000000001"] * 2, "periode": [published, never], "target": [True] * 2})
    with warehouse.session() as session:
        for month in (published, never, unknown):
            put(session, ALERTS, alerts, month)
        for month in (published, unknown):
            put(session, EXPORT, pl.DataFrame({"file": ["a"], "version": [1], "list_version": [1]}), month)
        put(session, TARGET, outcome, MONTH)
    gate = RecordingGate(CATALOGUE_SUITES)
    eval_verification(dg.build_asset_context(partition_key=MONTH.isoformat()), warehouse, gate)
    assert gate.required == [
        (TARGET.name, MONTH),
        *((name, published) for name in ("list_alerts", "list_export", "model_evaluation")),
    ]
    listed = warehouse.query("select distinct mois_liste from lake.eval_verification")["mois_liste"].to_list()
    assert listed == [published]
