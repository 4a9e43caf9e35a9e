"""The switch to NAF 2025 on 1 January 2027: the months around it, compared with the same months without a switch.

Staging, clean and features run in one connection, which stores the pairs of codes from month to month as the warehouse
does. The list is made by the threshold method, which needs no history.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sf_assets.features.registry import NAMES
from sf_assets.lists.selection import select
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.threshold import ThresholdMethod
from sf_assets_dev.synthetic import write_batch
from sf_assets_dev.synthetic.nomenclature import Nomenclature
from sf_assets_tests import plain
from sf_assets_tests.runs import Place

MONTHS: dict[Nomenclature, date] = {
    "before": date(2026, 12, 1),
    "during": date(2027, 1, 1),
    "after": date(2027, 2, 1),
}
# Only the columns that describe how a code was decided change with the switch.
DECISIONS = ["nomenclature_activite", "origine_naf", "origine_naf25"]
COMPANIES = "select * from feat_company_month where month = $month order by siren"
MATRIX = "select * from feat_matrix where month = $month order by siren"


@dataclass(frozen=True, slots=True)
class Month:
    """The tables of one month: companies followed, features, contexts, and companies left out with their reasons."""

    companies: pl.DataFrame
    matrix: pl.DataFrame
    context: pl.DataFrame
    blacklist: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Runs:
    """The months with the switch, those after December without it, and the last month without the pairs of earlier ones."""

    switched: dict[Nomenclature, Month]
    unchanged: dict[Nomenclature, Month]
    without_pairs: Month


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("switch")

    def write(kind: str, month: date, nomenclature: Nomenclature) -> Path:
        batch = folder / kind / f"{month:%y%m}"
        write_batch(batch, month=month, companies=250, years=2, seed=1, nomenclature=nomenclature)
        return batch.parent

    for name, month in MONTHS.items():
        write("switched", month, name)
        if name != "before":
            write("unchanged", month, "before")
    with plain.connect() as connection:
        switched = {name: _month(connection, folder / "switched", month) for name, month in MONTHS.items()}
    with plain.connect() as connection:
        unchanged = {
            name: _month(connection, folder / "unchanged", month) for name, month in MONTHS.items() if name != "before"
        }
    with plain.connect() as connection:
        without_pairs = _month(connection, folder / "switched", MONTHS["after"])
    return Runs(switched, unchanged, without_pairs)


def _month(connection: duckdb.DuckDBPyConnection, incoming: Path, month: date) -> Month:
    plain.stage(connection, incoming, month)
    plain.clean(connection, month)
    plain.features(connection, month, month)
    tables = (COMPANIES, MATRIX, "from feat_contexte order by all", "from siren_blacklist order by all")
    return Month(*(connection.execute(sql, {"month": month} if "$" in sql else {}).pl() for sql in tables))


@pytest.fixture(params=["during", "after"])
def pair(request: pytest.FixtureRequest, runs: Runs) -> tuple[Month, Month]:
    """Return a month with the switch, and the same month without it."""
    return runs.switched[request.param], runs.unchanged[request.param]


def test_the_batches_contain_the_cases_that_the_switch_could_break(runs: Runs) -> None:
    during, after = (runs.switched[name].companies["nomenclature_activite"] for name in ("during", "after"))
    assert set(during) == {"NAFRev2", "NAF2025"}
    assert set(after) == {"NAF2025"}
    assert {"paire", "unique"} <= set(runs.switched["after"].companies["origine_naf"])


def test_the_same_companies_are_followed_and_left_out_for_the_same_reasons(pair: tuple[Month, Month]) -> None:
    switched, expected = pair
    assert switched.companies["siren"].to_list() == expected.companies["siren"].to_list()
    assert_frame_equal(switched.blacklist, expected.blacklist)


def test_no_company_changes_its_codes_or_its_sections(pair: tuple[Month, Month]) -> None:
    switched, expected = pair
    assert_frame_equal(switched.companies.drop(DECISIONS), expected.companies.drop(DECISIONS))


def test_sections_keep_their_history_and_their_share_of_failures(pair: tuple[Month, Month]) -> None:
    switched, expected = pair
    assert_frame_equal(switched.context, expected.context)
    assert_frame_equal(switched.matrix, expected.matrix)
    assert switched.matrix["taux_defaillance_section"].null_count() == 0


def test_each_nomenclature_has_its_own_letters(runs: Runs) -> None:
    companies = runs.switched["after"].companies
    letters = dict(companies.filter(code_naf="62.01Z").select("naf_section", "naf25_section").unique().iter_rows())
    assert letters == {"J": "K"}
    assert (
        companies.select("code_naf", "naf_section", "code_naf25", "naf25_section").null_count().sum_horizontal()[0] == 0
    )


def test_the_list_is_the_same(pair: tuple[Month, Month]) -> None:
    switched, expected = (_listed(month) for month in pair)
    assert len(expected) >= 10
    assert switched == expected


def test_the_population_is_stable_from_month_to_month(runs: Runs) -> None:
    """Companies open, close and grow in a month, which explains a variation of 2 % at most."""
    former, *later = runs.switched.values()
    for month in later:
        known = former.companies.select("siren", before="naf_section").join(month.companies, on="siren")
        assert (known["before"] == known["naf_section"]).all()
        assert abs(month.companies.height - former.companies.height) <= 0.02 * former.companies.height
        former = month


def _listed(month: Month) -> set[str]:
    """Return the companies that the threshold method alerts, with limits low enough for a list of this few companies."""
    method = ThresholdMethod(NAMES).fit(month.matrix, [True] + [False] * (month.matrix.height - 1))
    scores = pl.Series("probabilite", method.predict_proba(month.matrix)[:, 1])
    thresholds = Thresholds(modere=0.1, fort=0.2)
    chosen = select(month.companies.with_columns(scores, dans_perimetre=pl.lit(value=True)), thresholds)
    return set(chosen.filter(pl.col("niveau") > 0)["siren"])


def test_without_the_pairs_of_earlier_months_some_would_change_section(runs: Runs) -> None:
    """46.19H is mostly wholesale, and some of its companies were business services: only their pairs show it."""
    guessed = runs.without_pairs.companies.select("siren", guessed="naf_section", how="origine_naf")
    compared = runs.switched["after"].companies.join(guessed, on="siren")
    changed = compared.filter(pl.col("guessed") != pl.col("naf_section"))
    assert changed.height > 0
    assert set(changed["how"]) == {"presumee"}


REGISTER = (
    "src_sirene",
    "src_sirene_ul",
    "stg_sirene",
    "stg_sirene_ul",
    *("clean_naf_paire", "clean_naf_passage", "clean_sirene_ul"),
)
PAST: dict[Nomenclature, date] = {"before": date(2025, 7, 1), "during": date(2025, 8, 1), "after": date(2025, 9, 1)}


@pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")
def test_the_warehouse_reads_pairs_of_earlier_months_and_of_no_later_one(tmp_path: Path) -> None:
    place = Place(tmp_path)
    codes = {}
    for nomenclature, month in PAST.items():
        write_batch(place.batch(month), month=month, companies=60, years=1, nomenclature=nomenclature)
        run = place.build(month, *REGISTER)
        assert run.failures == {}
        codes[nomenclature] = place.rows("clean_sirene_ul", month)
    assert run.metadata["clean_naf_paire"]["read"]["clean_naf_paire"] == PAST["during"].isoformat()
    before, after = (
        codes[name].select("siren", "activite_principale", "activite_principale_naf25") for name in ("before", "after")
    )
    assert_frame_equal(before, after.filter(pl.col("siren").is_in(before["siren"].to_list())))
    assert "paire" in set(codes["after"]["origine_naf"])
    # The first month computed again after later ones reads no earlier pairs.
    again = place.build(PAST["before"], "clean_naf_paire")
    assert "clean_naf_paire" not in again.metadata["clean_naf_paire"]["read"]
    # A month without verdicts is skipped: its rows have not passed their checks.
    place.warehouse.query("delete from lake.check_verdicts where month = $month", {"month": PAST["during"]})
    late = place.build(PAST["after"], "clean_naf_paire")
    assert late.metadata["clean_naf_paire"]["read"]["clean_naf_paire"] == PAST["before"].isoformat()
