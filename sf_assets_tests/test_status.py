"""The state of each month: done, blocked by a check, waiting for a file, whatever else is blocked."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.engine.quality.verdicts import check_months, record_verdicts
from sf_assets.engine.resources import Folders
from sf_assets.engine.storage import frame_of
from sf_assets.engine.storage.inputs import ASSET_INPUTS
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.operations import status as subject
from sf_assets.operations.acceptance import accept
from sf_assets.operations.assets import latest_month_there, status
from sf_assets.operations.status import LayerStatus, known_months, layer_statuses, status_page
from sf_assets.sources.batch import batch_key, expected_in
from sf_assets.sources.registry import BY_NAME
from sf_assets.vocabulary.partitions import month_due
from sf_assets_tests.gated import ADVICE, APRIL, BAD, FEBRUARY, JUDGED_AT, MARCH, GatedGraph

LAYERS = {"sources": ("src_up",), "clean": ("up",), "lists": ("down",)}

UNUSED = Path("unused")


class Cockpit:
    """A warehouse of three layers of one asset each, and a folder of incoming files."""

    def __init__(self, folder: Path) -> None:
        self.graph = GatedGraph(folder)
        self.incoming = folder / "incoming"
        self.incoming.mkdir()
        self.refusing: set[tuple[str, date]] = set()
        self.suites = {"src_up": self._probed("src_up"), "up": self.graph.suite, "down": self._probed("down")}

    def _probed(self, name: str) -> Suite:
        def judge(_: object, month: date) -> Outcome:
            refused = (name, month) in self.refusing
            return Outcome(passed=not refused, unexpected_count=int(refused), element_count=1)

        return Suite(name, probes=(Probe("as_promised", judge, "it is fine", ADVICE),))

    def deliver(self, month: date, *, without: str = "") -> None:
        folder = self.incoming / batch_key(month)
        folder.mkdir()
        for name in expected_in():
            if name != without:
                (folder / BY_NAME[name].names[0]).write_text("x")

    def check(self, month: date, *assets: str) -> None:
        with self.graph.warehouse.session() as session:
            for asset in assets:
                verdicts = check_months(session, self.suites[asset], [month])
                record_verdicts(session, asset, verdicts, run_id="run", judged_at=JUDGED_AT)

    def refresh(self, month: date) -> dict[str, LayerStatus]:
        with self.graph.warehouse.session() as session:
            return {one.layer: one for one in layer_statuses(session, self.incoming, [month])}

    def states(self, month: date) -> list[str]:
        return [one.state for one in self.refresh(month).values()]

    @property
    def resources(self) -> dict[str, object]:
        folders = replace(Folders.below(UNUSED), incoming=Shelf(self.incoming))
        return {"warehouse": self.graph.warehouse, "folders": folders}


@pytest.fixture
def cockpit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cockpit:
    made = Cockpit(tmp_path)
    monkeypatch.setattr(subject, "LAYERS", LAYERS)
    monkeypatch.setattr(subject, "suites_of", lambda _mode: made.suites)
    return made


def test_a_month_whose_checks_all_passed_is_done(cockpit: Cockpit) -> None:
    cockpit.deliver(MARCH)
    cockpit.graph.write(MARCH)
    cockpit.check(MARCH, "src_up", "up", "down")
    assert cockpit.states(MARCH) == ["done", "done", "done"]
    assert {(one.assets, one.done) for one in cockpit.refresh(MARCH).values()} == {(1, 1)}


def test_a_month_that_waits_names_the_missing_file_and_holds_later_layers(cockpit: Cockpit) -> None:
    cockpit.deliver(MARCH, without="debit")
    found = cockpit.refresh(MARCH)
    assert [one.state for one in found.values()] == ["waiting", "held", "held"]
    assert {one.detail for one in found.values()} == {"waiting for debit"}


def test_a_refused_check_blocks_its_layer_and_holds_those_below(cockpit: Cockpit) -> None:
    cockpit.deliver(MARCH)
    cockpit.graph.write(MARCH, amount=BAD)
    cockpit.check(MARCH, "src_up", "up")
    found = cockpit.refresh(MARCH)
    assert [one.state for one in found.values()] == ["done", "blocked", "held"]
    assert found["clean"].detail == found["lists"].detail == "up montant_in_range"
    assert found["clean"].messages == (f"up: montant_in_range refuses 4 of 4. {ADVICE}",)
    assert [(one.starts, one.after) for one in found.values()] == [((), ()), (("up",), ()), ((), ())]


def test_an_asset_that_did_not_run_is_to_do_and_a_month_without_files_has_no_batch(cockpit: Cockpit) -> None:
    cockpit.deliver(MARCH)
    cockpit.check(MARCH, "src_up")
    assert cockpit.states(MARCH) == ["done", "to do", "to do"]
    assert cockpit.states(APRIL) == ["no batch", "no batch", "no batch"]


def test_a_table_written_again_and_not_checked_is_to_do(cockpit: Cockpit) -> None:
    cockpit.deliver(MARCH)
    cockpit.graph.write(MARCH)
    cockpit.check(MARCH, "src_up", "up")
    cockpit.graph.write(MARCH)
    assert cockpit.states(MARCH) == ["done", "done", "to do"]
    cockpit.graph.write(MARCH, rows=5)
    assert cockpit.states(MARCH) == ["done", "to do", "to do"]


def test_an_asset_older_than_its_inputs_is_stale_and_named(cockpit: Cockpit) -> None:
    cockpit.deliver(MARCH)
    cockpit.graph.write(MARCH)
    cockpit.check(MARCH, "src_up", "up", "down")
    inputs = {"asset": "down", "input": "up", "input_month": MARCH, "snapshot": 0}
    with cockpit.graph.warehouse.session() as session:
        where = {"month": MARCH, "asset": "down"}
        session.replace({ASSET_INPUTS: frame_of(ASSET_INPUTS, [inputs])}, where=where, author="test", message="test")
    found = cockpit.refresh(MARCH)
    assert [one.state for one in found.values()] == ["done", "done", "stale"]
    assert (found["lists"].done, found["lists"].detail) == (0, "rerun down")
    message = (
        "down, 2026-03: stale, up of 2026-03 was written again since and passed its checks. "
        "Rerun down, then what follows it."
    )
    assert found["lists"].messages == (message,)
    assert (found["lists"].starts, found["lists"].after) == ((), ("up",))
    lines = list(status_page([*found.values()]))
    assert "| 2026-03 | done | done | stale 0/1: rerun down |" in lines
    assert f"- {message}" in lines


def test_an_accepted_check_is_done_with_the_name_of_its_author(cockpit: Cockpit) -> None:
    cockpit.deliver(MARCH)
    cockpit.graph.write(MARCH, amount=BAD)
    cockpit.check(MARCH, "src_up", "up", "down")
    with cockpit.graph.warehouse.session() as session:
        accept(session, cockpit.suites["up"], "montant_in_range", MARCH, reason="credit notes", accepted_by="C. Duval",
               accepted_at=JUDGED_AT)  # fmt: skip
    found = cockpit.refresh(MARCH)
    assert [one.state for one in found.values()] == ["done", "done", "done"]
    assert found["clean"].detail == "up montant_in_range accepted by C. Duval"
    assert "- up: montant_in_range refuses 4 of 4, accepted by C. Duval on 2026-04-03: credit notes" in status_page(
        found.values()
    )


def UP_SUITE(cockpit: Cockpit) -> Suite:  # noqa: N802
    return cockpit.suites["up"]


def test_the_page_ends_a_month_with_one_command_for_all_that_is_refused_or_stale() -> None:
    def layer(name: str, state: str, **options: tuple[str, ...]) -> LayerStatus:
        return LayerStatus(MARCH, name, state, 1, 0, messages=("wrong",), **options)

    refused = [
        layer("sources", "blocked", starts=("src_debit",)),
        layer("staging", "blocked", starts=("stg_debit", "clean_ap")),
    ]
    stale = layer("clean", "stale", after=("stg_filter_import",))
    *_, line = status_page([*refused, stale])
    assert line == (
        "- once corrected: `sf run monthly 2026-03 --from src_debit --from clean_ap --after stg_filter_import`"
    )
    # A month of the past has no files: it is computed from the batch of another one.
    assert "sf run" not in "".join(status_page([layer("sources", "no batch"), stale]))


def test_a_month_that_learned_from_a_stale_one_starts_at_what_reads_it(cockpit: Cockpit) -> None:
    cockpit.deliver(MARCH)
    cockpit.graph.write(FEBRUARY, MARCH)
    for month in (FEBRUARY, MARCH):
        cockpit.check(month, "src_up", "up", "down")
    rows = [
        {"asset": "up", "input": "src_up", "input_month": FEBRUARY, "snapshot": 0, "month": FEBRUARY},
        {"asset": "down", "input": "up", "input_month": FEBRUARY, "snapshot": 1, "month": MARCH},
    ]
    with cockpit.graph.warehouse.session() as session:
        where = {"month": [FEBRUARY, MARCH]}
        frame = frame_of(ASSET_INPUTS, rows, with_month=True)
        session.replace({ASSET_INPUTS: frame}, where=where, author="test", message="test")
    assert cockpit.refresh(MARCH)["lists"].starts == ("down",)


def test_months_with_files_or_verdicts_are_known(cockpit: Cockpit) -> None:
    cockpit.deliver(APRIL)
    (cockpit.incoming / "octobre").mkdir()
    cockpit.check(FEBRUARY, "src_up")
    with cockpit.graph.warehouse.session() as session:
        assert known_months(session, cockpit.incoming) == [FEBRUARY, APRIL]


def test_the_page_starts_with_the_newest_month_joins_equal_months_and_states_what_to_do(cockpit: Cockpit) -> None:
    cockpit.deliver(APRIL)
    cockpit.refusing.add(("src_up", APRIL))
    cockpit.check(APRIL, "src_up")
    with cockpit.graph.warehouse.session() as session:
        lines = list(status_page(layer_statuses(session, cockpit.incoming, [FEBRUARY, MARCH, APRIL])))
    assert lines[:4] == [
        "| month | sources | clean | lists |",
        "|---|---|---|---|",
        "| 2026-04 | **blocked 0/1: src_up as_promised** | held 0/1: src_up as_promised | held 0/1: src_up as_promised |",
        "| 2026-02 to 2026-03 | no batch | no batch | no batch |",
    ]
    assert f"- src_up: as_promised refuses 1 of 1. {ADVICE}" in lines


@pytest.mark.parametrize(("day", "due"), [(date(2026, 5, 10), MARCH), (date(2026, 5, 11), APRIL)])
def test_a_month_is_due_after_the_tenth_of_the_next(day: date, due: date) -> None:
    assert month_due(day) == due


def shown(cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch, day: datetime) -> dg.ExecuteInProcessResult:
    """Run the asset and its check as of a day."""
    monkeypatch.setattr("sf_assets.operations.assets.run_created_at", lambda *_: day)
    job = dg.Definitions(
        assets=[status],
        asset_checks=[latest_month_there],
        resources=cockpit.resources,
        jobs=[dg.define_asset_job("refresh_status", dg.AssetSelection.groups("cockpit"))],
    ).resolve_job_def("refresh_status")
    return job.execute_in_process(raise_on_error=False)


def test_the_asset_returns_the_page_and_stores_the_table_while_everything_is_blocked(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    cockpit.deliver(MARCH)
    cockpit.refusing.add(("src_up", MARCH))
    cockpit.check(MARCH, "src_up")
    result = shown(cockpit, monkeypatch, datetime(2026, 4, 20, tzinfo=UTC))
    (event,) = result.get_asset_materialization_events()
    metadata = {name: value.value for name, value in event.materialization.metadata.items()}
    assert (metadata["blocked"], metadata["waiting"], metadata["months"]) == (1, 0, 1)
    assert "| 2026-03 | **blocked 0/1: src_up as_promised**" in metadata["page"]
    rows = cockpit.graph.warehouse.query("select layer, state from lake.status order by layer").rows()
    assert rows == [("clean", "held"), ("lists", "held"), ("sources", "blocked")]


@pytest.mark.parametrize(
    ("day", "expected"), [(10, "2026-02 is there."), (11, "2026-03 is not there: held, waiting for debit.")]
)
def test_the_list_of_the_month_due_must_exist_by_its_day(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch, day: int, expected: str
) -> None:
    cockpit.graph.write(FEBRUARY)
    cockpit.check(FEBRUARY, "src_up", "up", "down")
    cockpit.deliver(MARCH, without="debit")
    (evaluation,) = shown(cockpit, monkeypatch, datetime(2026, 4, day, 12, tzinfo=UTC)).get_asset_check_evaluations()
    assert evaluation.description == f"The list of {expected}"
    assert evaluation.passed is expected.endswith("is there.")
