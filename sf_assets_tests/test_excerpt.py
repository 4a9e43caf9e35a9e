"""The whole graph on an excerpt in the producers' formats, if it is present: two years of 400 companies."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from sf_assets.sources.batch import read_batch
from sf_assets.sources.registry import BY_NAME
from sf_assets.vocabulary.delays import DELAYS
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.deployment import Run
from sf_assets_tests.runs import Place

MONTH = date(2021, 4, 1)
EXCERPT = Path(__file__).parents[2] / "shared" / "data" / "excerpt"
# Features run over ranges of months, other layers month by month.
pytestmark = [
    pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies"),
    pytest.mark.skipif(
        not (EXCERPT / "2104").is_dir(),
        reason="no ../shared/data/excerpt/2104: the excerpt comes apart from the project",
    ),
]
# Nine digits identify a company, fourteen an establishment; between letters they may be part of a digest.
IDENTIFIER = re.compile(r"(?<![0-9A-Za-z])(?:\d{9}|\d{14})(?![0-9A-Za-z])")


@dataclass(frozen=True)
class Excerpt:
    """The deployment that loaded the excerpt, and its runs by job."""

    place: Place
    runs: dict[str, Run]

    def rows(self, table: str) -> pl.DataFrame:
        return self.place.rows(table, MONTH)


@pytest.fixture(scope="module")
def excerpt(tmp_path_factory: pytest.TempPathFactory) -> Excerpt:
    """Run the excerpt as the demonstration runs its month: its batch, the history, its scores and its list."""
    place = Place(tmp_path_factory.mktemp("excerpt"))
    place.batch(MONTH).parent.mkdir()
    place.batch(MONTH).symlink_to(EXCERPT / "2104")
    runs = {"batch": place.run("batch", MONTH)}
    first = place.warehouse.query("select min(periode) from lake.clean_effectif_ent").item()
    runs["history"] = place.run_range("history", add_months(first, DELAYS["effectif_months"]), add_months(MONTH, -1))
    runs["score"] = place.run("score", MONTH)
    return Excerpt(place, runs)


def test_the_excerpt_runs_without_a_failure_or_an_error(excerpt: Excerpt) -> None:
    assert {job: run.failures for job, run in excerpt.runs.items()} == {"batch": {}, "history": {}, "score": {}}
    assert {job: run.errors for job, run in excerpt.runs.items()} == {"batch": [], "history": [], "score": []}


def test_every_record_of_the_excerpt_is_accepted_filtered_or_quarantined(excerpt: Excerpt) -> None:
    files = read_batch(EXCERPT, MONTH).files
    counted = {row["source"]: row for row in excerpt.rows("stg_import").iter_rows(named=True)}
    assert set(counted) == set(files)
    for source, row in counted.items():
        (path,) = files[source]
        assert row["records"] == path.read_bytes().count(b"\n") - 1, source
        assert row["records"] == row["accepted"] + row["filtered"] + row["quarantined"], source
        assert row["accepted"] > row["records"] / 2, source


def test_refused_records_are_in_the_quarantine_with_their_reason(excerpt: Excerpt) -> None:
    refused = excerpt.rows("stg_quarantine").filter(level="record")
    assert refused.height > 0
    assert refused.select("expected", "raw").null_count().row(0) == (0, 0)
    lines = {source: len(set(rows["line"])) for (source,), rows in refused.group_by("source")}
    counted = excerpt.rows("stg_import").filter(pl.col("quarantined") > 0)
    assert lines == dict(counted.select("source", "quarantined").iter_rows())


def test_with_a_history_too_short_for_a_model_a_warning_is_given_and_the_threshold_method_makes_the_list(
    excerpt: Excerpt,
) -> None:
    fitted = {row["methode"]: row for row in excerpt.rows("model_fitted").iter_rows(named=True)}
    assert "Historique insuffisant" in fitted["logistique"]["statement"]
    assert not fitted["logistique"]["supported"]
    assert fitted["seuils"]["retained"]
    assert fitted["logistique"]["statement"] in excerpt.runs["score"].warnings
    assert excerpt.rows("list_alerts").height > 0
    assert len(list((excerpt.place.settings.data_dir / "lists" / "2104").iterdir())) == 5


def test_the_list_names_companies_of_the_excerpt_that_are_in_no_procedure(excerpt: Excerpt) -> None:
    listed = set(excerpt.rows("list_alerts")["siren"])
    delivered = pl.read_csv(EXCERPT / "2104" / BY_NAME["sirene_ul"].names[0], infer_schema=False)
    assert listed <= set(delivered["siren"])
    known = excerpt.rows("feat_company_month").drop_nulls("procedure_connue")["siren"]
    assert known.len() > 0
    assert listed.isdisjoint(known)


def texts(place: Place) -> Iterator[str]:
    """Yield every text that Dagster stores about the runs: messages, metadata, results of checks."""
    for run in place.instance.get_runs():
        yield from (dg.serialize_value(entry) for entry in place.instance.all_logs(run.run_id))


def test_no_identifier_of_the_excerpt_gets_into_logs_or_metadata(excerpt: Excerpt) -> None:
    delivered = {
        found for path in (EXCERPT / "2104").iterdir() for found in IDENTIFIER.findall(path.read_text("utf-8"))
    }
    assert len(delivered) > 4000
    logged = list(texts(excerpt.place))
    assert any("sigfaible_debits.csv" in text for text in logged)
    assert [text for text in logged if delivered.intersection(IDENTIFIER.findall(text))] == []
