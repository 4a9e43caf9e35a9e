"""One command runs an asset and what follows it, with the past months that the newest batch computed."""

from collections.abc import Collection
from contextlib import nullcontext
from datetime import date
from types import SimpleNamespace

import dagster as dg
import pytest
from typer.main import get_command

from sf_assets.commands.app import app
from sf_assets.definitions import defs
from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.engine.quality.verdicts import check_months, record_verdicts
from sf_assets.engine.storage import Warehouse, frame_of
from sf_assets.engine.storage.inputs import ASSET_INPUTS
from sf_assets.operations import launching, reruns
from sf_assets.operations.launching import assets_from, run_from
from sf_assets.operations.reruns import is_open, never_checked, reads_of_past, stale_past
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.schema import Column, Table
from sf_assets_tests.gated import APRIL, FEBRUARY, JUDGED_AT, MARCH

pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")
FEATURES = ("feat_dette", "feat_matrix")


def names(keys: Collection[dg.AssetKey]) -> set[str]:
    return {key.to_user_string() for key in keys}


def test_a_corrected_file_runs_its_source_and_what_follows_it_alone() -> None:
    found = names(assets_from(defs, "monthly", starts=["src_debit"]))
    assert found >= {
        "src_debit",
        "stg_debit",
        "stg_quarantine",
        "clean_debit",
        "feat_dette",
        "model_fitted",
        "list_export",
    }
    assert not found & {
        "src_effectif",
        "stg_effectif",
        "clean_ap",
        "feat_paiement",
        "eval_backtest",
        "list_publication",
    }


def test_an_accepted_check_runs_what_follows_its_asset_without_it() -> None:
    found = names(assets_from(defs, "monthly", after=["stg_debit"]))
    assert found == names(assets_from(defs, "monthly", starts=["stg_debit"])) - {"stg_debit"}


def test_a_job_bounds_what_is_run_and_several_starts_add_up() -> None:
    found = names(assets_from(defs, "batch", starts=["src_debit", "src_paydex"], after=["stg_delai"]))
    assert found >= {"src_debit", "src_paydex", "clean_paydex", "clean_delai"}
    assert not {name for name in found if name.startswith(("feat_", "model_", "list_"))} | ({"stg_delai"} & found)


def test_without_a_start_the_whole_job_is_run() -> None:
    whole = defs.resolve_job_def("monthly").asset_layer.selected_asset_keys
    assert assets_from(defs, "monthly") == whole


@pytest.mark.parametrize(
    ("job", "start", "message"),
    [
        ("mensuel", "src_debit", "job: expected one of batch, .*, found mensuel"),
        ("monthly", "debit", "asset: expected one of clean_debit, src_debit, stg_debit, found debit"),
        ("monthly", "scr_debit", "asset: expected one of src_debit.*, found scr_debit"),
        ("batch", "model_fitted", "model_fitted: expected an asset followed by some of job batch, found none"),
    ],
)
def test_an_unknown_job_or_asset_is_refused(job: str, start: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        assets_from(defs, job, starts=[start])


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, date, date | None, set[str]]]:
    """Return the runs that are asked for: job, first and last month, assets."""
    asked: list[tuple[str, date, date | None, set[str]]] = []

    def run_job(
        _defs: object,
        _instance: object,
        job: str,
        *,
        first: date,
        last: date | None = None,
        only: Collection[dg.AssetKey] = (),
    ) -> bool:
        asked.append((job, first, last, names(only)))
        return True

    monkeypatch.setattr(launching, "run_job", run_job)
    return asked


def launch(
    *,
    past: bool,
    stale: list[date],
    monkeypatch: pytest.MonkeyPatch,
    opens: bool = False,
    never: tuple[str, ...] = (),
    **options: object,
) -> bool:
    monkeypatch.setattr(launching, "is_open", lambda *_: opens)
    monkeypatch.setattr(launching, "never_checked", lambda _, names, __: set(names) & set(never))
    monkeypatch.setattr(launching, "reads_of_past", lambda *_: past)
    monkeypatch.setattr(launching, "stale_past", lambda *_: ({"feat_dette", "feat_matrix"} if stale else set(), stale))
    warehouse = SimpleNamespace(session=nullcontext)
    return run_from(defs, None, warehouse, "monthly", month=APRIL, **options)  # type: ignore[arg-type]


def test_past_months_of_the_batch_are_computed_between_its_tables_and_its_models(
    runs: list[tuple[str, date, date | None, set[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert launch(past=True, stale=[FEBRUARY, MARCH], monkeypatch=monkeypatch, starts=["src_debit"])
    batch, history, rest = runs
    assert (batch[0], history[:3], rest[0]) == ("monthly", ("history", FEBRUARY, MARCH), "monthly")
    assert {"src_debit", "clean_debit"} <= batch[3]
    assert history[3] == {"feat_dette", "feat_matrix"}
    assert {"feat_dette", "list_export"} <= rest[3]
    assert batch[3] | rest[3] == names(assets_from(defs, "monthly", starts=["src_debit"]))
    assert not batch[3] & rest[3]


def test_what_is_needed_and_was_never_run_is_run_too(
    runs: list[tuple[str, date, date | None, set[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    never = ("feat_effectif", "list_publication")
    assert launch(past=False, stale=[], monkeypatch=monkeypatch, never=never, starts=["src_debit"])
    ((_, _, _, found),) = runs
    assert found == names(assets_from(defs, "monthly", starts=["src_debit"])) | {"feat_effectif"}


def test_past_months_that_did_not_change_are_left_alone(
    runs: list[tuple[str, date, date | None, set[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert launch(past=True, stale=[], monkeypatch=monkeypatch, starts=["src_debit"])
    assert [job for job, *_ in runs] == ["monthly", "monthly"]


def test_a_month_whose_past_has_batches_of_its_own_is_one_run(
    runs: list[tuple[str, date, date | None, set[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert launch(past=False, stale=[], monkeypatch=monkeypatch, after=["stg_debit"])
    assert [job for job, *_ in runs] == ["monthly"]


@pytest.mark.parametrize(("opens", "expected"), [(False, ["monthly"]), (True, ["monthly", "history", "monthly"])])
def test_a_refused_batch_stops_what_reads_it_alone(
    *, opens: bool, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def run_job(_defs: object, _instance: object, job: str, **_: object) -> bool:
        asked.append(job)
        return len(asked) > 1

    monkeypatch.setattr(launching, "run_job", run_job)
    assert not launch(past=True, stale=[MARCH], monkeypatch=monkeypatch, opens=opens, starts=["src_debit"])
    assert asked == expected


def probe(name: str) -> Suite:
    return Suite(name, probes=(Probe("right", lambda *_: Outcome(passed=True), "it is right", "Look."),))


@pytest.fixture
def past(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Return a warehouse whose features of February and March were computed from the batch of April, and read one another."""
    monkeypatch.setattr(reruns, "LAYERS", {"features": FEATURES})
    column = (Column("x", "INTEGER", "a value"),)
    tables = {name: Table(name, "a row", column) for name in (*FEATURES, "clean_debit")}
    with warehouse.session() as session:
        for name, days in {
            "clean_debit": [APRIL],
            "feat_dette": [FEBRUARY, MARCH],
            "feat_matrix": [FEBRUARY, MARCH],
        }.items():
            for day in days:
                session.replace({tables[name]: "select 1 as x"}, where={"month": day}, author="test", message="test")
        rows = [
            {"asset": asset, "input": read, "input_month": read_month or day, "snapshot": None, "month": day}
            for day in (FEBRUARY, MARCH)
            for asset, read, read_month in (("feat_dette", "clean_debit", APRIL), ("feat_matrix", "feat_dette", None))
        ]
        frame = frame_of(ASSET_INPUTS, rows, with_month=True)
        session.replace({ASSET_INPUTS: frame}, where={"month": [FEBRUARY, MARCH]}, author="test", message="test")
    return warehouse


def judge(warehouse: Warehouse, suite: Suite, *days: date) -> None:
    with warehouse.session() as session:
        verdicts = check_months(session, suite, days)
        record_verdicts(session, suite.asset, verdicts, run_id="run", judged_at=JUDGED_AT)


def test_past_months_know_the_batch_that_they_were_computed_from(past: Warehouse) -> None:
    with past.session() as session:
        assert reads_of_past(session, APRIL)
        assert not reads_of_past(session, MARCH)


def test_an_asset_was_never_checked_until_its_checks_ran(past: Warehouse) -> None:
    asked = ["clean_debit", "feat_dette", "no_asset"]
    with past.session() as session:
        assert never_checked(session, asked, APRIL) == {"clean_debit", "feat_dette"}
    judge(past, probe("clean_debit"), APRIL)
    with past.session() as session:
        assert never_checked(session, asked, APRIL) == {"feat_dette"}


def test_what_is_read_is_open_once_its_checks_passed(past: Warehouse) -> None:
    with past.session() as session:
        assert is_open(session, ["no_asset"], APRIL)
        assert not is_open(session, ["clean_debit"], APRIL)


def test_a_batch_written_again_makes_the_past_stale_with_what_reads_it(past: Warehouse) -> None:
    judge(past, probe("feat_dette"), FEBRUARY, MARCH)
    with past.session() as session:
        assert stale_past(session, APRIL) == (set(), [])
    table = Table("clean_debit", "a row", (Column("x", "INTEGER", "a value"),))
    judge(past, Suite("clean_debit", table, probes=probe("clean_debit").probes), APRIL)
    with past.session() as session:
        assert stale_past(session, APRIL) == ({"feat_dette", "feat_matrix"}, [FEBRUARY, MARCH])
        assert stale_past(session, MARCH)[1] == [FEBRUARY]


def test_the_command_of_a_month_parses() -> None:
    command = reruns.rerun_command(APRIL, starts=["src_debit", "stg_debit", "clean_ap"], after=["stg_filter_import"])
    assert command == "sf run monthly 2026-04 --from src_debit --from clean_ap --after stg_filter_import"
    run = get_command(app).commands["run"]  # type: ignore[attr-defined]
    context = run.make_context("sf", command.split()[2:])
    assert (*context.params["starts"], *context.params["after"]) == ("src_debit", "clean_ap", "stg_filter_import")
