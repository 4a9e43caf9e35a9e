"""The command line `sf`: every verb has help with an example that parses, exit codes and one spelling of months."""

import json
import re
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import click
import dagster as dg
import pytest
import typer
from typer.testing import CliRunner

from sf_assets.catalogue.tables import SUITES
from sf_assets.commands.app import app, main
from sf_assets.engine.quality.verdicts import check_months, record_verdicts
from sf_assets.model.columns import Names
from sf_assets.operations import evaluation_report, launching, search
from sf_assets.settings import Settings, warehouse_of
from sf_assets.vocabulary.failures import PermanentFailure, UserError
from sf_assets.vocabulary.partitions import months
from sf_assets.vocabulary.version import VERSION

MARCH = date(2026, 3, 1)
ROOT = typer.main.get_command(app)
# One value for each required argument but the month; verbs with other names fail the tests below and are added here.
VALUES = {
    "asset": "stg_debit", "check": "few_refused", "source": "debit", "siren": "005520135", "name": "foret", "job": "monthly",
    "into": "folder", "reason": "a reason", "by": "A. Martin", "version": "1", "full": "folder", "open_data": "folder",
    "former": "folder",
}  # fmt: skip


def verbs(command: click.Command = ROOT, *names: str) -> Iterator[tuple[str, ...]]:
    """Yield the path of each verb: `("status",)`, `("quarantine", "list")`."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from verbs(inner, *names, name)
    else:
        yield names


def command_of(verb: tuple[str, ...]) -> click.Command:
    command = ROOT
    for name in verb:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


def months_of(verb: tuple[str, ...]) -> list[click.Parameter]:
    return [parameter for parameter in command_of(verb).params if parameter.metavar == "YYYY-MM"]


def arguments(verb: tuple[str, ...], month: str) -> list[str]:
    """Return a complete command line of a verb in which every month is `month`."""
    line = [*verb]
    for parameter in command_of(verb).params:
        is_month = parameter.metavar == "YYYY-MM"
        if parameter.required or is_month:
            option = [parameter.opts[0]] if isinstance(parameter, click.Option) else []
            line += [*option, month if is_month else VALUES[str(parameter.name)]]
    return line


def words(text: str) -> str:
    """Return the text of a terminal without the frames of its boxes and its line ends."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


VERBS = list(verbs())
every_verb = pytest.mark.parametrize("verb", VERBS, ids=" ".join)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder of data that the settings name."""
    monkeypatch.setenv("SF_DATA_DIR", str(tmp_path))
    return tmp_path


def sf(monkeypatch: pytest.MonkeyPatch, *line: str) -> int:
    """Run `sf` as its program does; return the exit code."""
    monkeypatch.setattr(sys, "argv", ["sf", *line])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_verbs_are_those_of_the_documentation() -> None:
    assert {verb[0] for verb in VERBS} == {
        "run", "status", "accept", "acceptances", "quarantine", "explain", "method", "evaluate", "search", "maintenance",
        "publish", "rebuild", "encrypt", "answers", "columns", "fetch-open", "retention", "erase", "move",
        "demo", "generate", "bench", "bench-catalog", "chaos", "docs", "faults", "life", "scale", "ui", "compare-modes",
    }  # fmt: skip


@every_verb
def test_help_states_what_the_verb_does_and_each_parameter(verb: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*verb, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert str(command_of(verb).help).split("\n", 1)[0].endswith(".")
    assert all(getattr(parameter, "help", None) for parameter in command_of(verb).params)


@every_verb
def test_each_example_of_the_help_is_a_command_line_of_its_verb(verb: tuple[str, ...]) -> None:
    examples = re.findall(r"`sf ([^`]+)`", str(command_of(verb).help))
    assert examples
    for example in examples:
        line = shlex.split(example)
        assert tuple(line[: len(verb)]) == verb
        command_of(verb).make_context("sf", line[len(verb) :]).close()


def test_help_of_the_whole_lists_the_verbs_and_the_exit_codes() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert all(f" {verb[0]} " in words(result.stdout) for verb in VERBS)
    assert "Exit codes: 0 done; 1 refused, blocked or failed" in words(result.stdout)


def test_the_help_is_in_panels_by_subject() -> None:
    titles = re.findall(r"╭─ ([^─]+) ─", CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"}).stdout)
    assert titles == ["Options", "A month", "Quality: checks and refused records", "Scores and lists", "Upkeep",
                      "Development, in a checkout only"]  # fmt: skip


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"sf_assets {VERSION}\n")


@pytest.mark.parametrize("month", ["octobre", "2026-13", "2026", "2610", "2026-10-01", ""])
@pytest.mark.parametrize("verb", [verb for verb in VERBS if months_of(verb)], ids=" ".join)
def test_a_month_in_another_spelling_is_refused_in_a_sentence(verb: tuple[str, ...], month: str) -> None:
    result = CliRunner().invoke(app, arguments(verb, month))
    assert result.exit_code == 2
    assert f"expected a month YYYY-MM, found {month!r}" in words(result.output)


@pytest.mark.parametrize(
    "verb", [verb for verb in VERBS if any(p.required for p in command_of(verb).params)], ids=" ".join
)
def test_a_missing_argument_ends_with_2(verb: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, [*verb]).exit_code == 2


def test_an_unknown_verb_ends_with_2() -> None:
    assert CliRunner().invoke(app, ["publier"]).exit_code == 2


@pytest.mark.usefixtures("data")
def test_status_of_an_empty_warehouse_is_an_empty_json_list() -> None:
    result = CliRunner().invoke(app, ["status", "--json"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


def test_status_of_an_empty_warehouse_names_its_folder(data: Path) -> None:
    page = CliRunner().invoke(app, ["status"])
    assert page.exit_code == 0
    assert f"{data}: expected delivered files or computed months, found none." in page.stdout


def test_status_ends_with_1_when_a_month_waits_for_a_file(data: Path) -> None:
    (data / "incoming" / "2603").mkdir(parents=True)
    page = CliRunner().invoke(app, ["status"])
    assert page.exit_code == 1
    assert "| month | sources | staging | clean | features | model | lists |" in page.stdout
    assert "| 2026-03 | **waiting 0/" in page.stdout
    document = CliRunner().invoke(app, ["status", "--json"])
    assert document.exit_code == 1
    layers = json.loads(document.stdout)
    assert {(layer["month"], layer["layer"]): layer["state"] for layer in layers}["2026-03", "sources"] == "waiting"
    other = CliRunner().invoke(app, ["status", "--month", "2026-02"])
    assert other.exit_code == 0
    assert "2026-03" not in other.stdout


def test_accept_records_an_acceptance_that_acceptances_lists(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = SUITES["stg_filter_steps"]
    assert suite.table
    with warehouse_of(Settings(data_dir=data)).session() as session:
        columns = ", ".join(f"cast(null as {column.type}) as {column.name}" for column in suite.table.columns)
        session.replace(
            {suite.table: f"select {columns} where false"}, where={"month": MARCH}, author="test", message="test"
        )
        verdicts = check_months(session, suite, [MARCH])
        record_verdicts(session, suite.asset, verdicts, run_id="run", judged_at=datetime(2026, 4, 3, tzinfo=UTC))
    line = ("accept", "2026-03", suite.asset, "not_empty", "--by", "C. Duval", "--reason")
    assert sf(monkeypatch, *line, "the file is right") == 0
    printed = capsys.readouterr().out
    assert "(in force)" in printed
    assert printed.endswith("then: sf run monthly 2026-03 --after stg_filter_steps\n")
    assert sf(monkeypatch, "acceptances", "2026-03") == 0
    assert "accepted by C. Duval on 20" in capsys.readouterr().out
    assert sf(monkeypatch, "acceptances", "2026-03", "--json") == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["accepted_by"], record["check_name"], record["in_force"]) == ("C. Duval", "not_empty", True)
    assert sf(monkeypatch, *line, " ") == 1
    assert "expected a reason and a name" in capsys.readouterr().err


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("verb", "printed"),
    [
        (("quarantine", "list", "2026-03"), "2026-03: no record is refused\n"),
        (("quarantine", "list", "2026-03", "debit"), "2026-03: no record of debit is refused\n"),
        (("acceptances", "2026-03"), "2026-03: no failed check was allowed\n"),
        (("method", "list"), "no choice: a list keeps the method of the one before it\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_list_of_nothing_says_so(
    verb: tuple[str, ...], printed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sf(monkeypatch, *verb) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.usefixtures("data")
def test_accept_of_an_unknown_asset_names_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sf(monkeypatch, "accept", "2026-03", "debit", "few_refused", "--reason", "a", "--by", "b") == 1
    error = capsys.readouterr().err
    assert error.startswith("asset: expected one of clean_ap, ")
    assert error.endswith("found debit\n")


@pytest.mark.usefixtures("data")
def test_method_records_a_choice_or_states_why_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reasons = ("--reason", "lisible", "--by", "A. Martin")
    assert sf(monkeypatch, "method", "choose", "2026-11", "logistique", *reasons) == 0
    assert "2026-11, logistique: lisible (A. Martin," in capsys.readouterr().out
    assert sf(monkeypatch, "method", "choose", "2026-11", "reseau", *reasons) == 1
    assert "expected one of boosting" in capsys.readouterr().err
    assert sf(monkeypatch, "method", "list") == 0
    assert "logistique" in capsys.readouterr().out


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("verb", [("quarantine", "export"), ("quarantine", "replay")], ids=" ".join)
def test_an_unknown_source_is_refused_with_the_known_ones(
    verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sf(monkeypatch, *verb, "2026-03", "dette") == 1
    assert re.match("source: expected one of .*, found dette\n", capsys.readouterr().err)


@pytest.mark.usefixtures("data")
def test_run_refuses_an_unknown_job_and_ends_with_1_when_the_job_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")  # Set by the verb, and removed with this fixture.
    assert sf(monkeypatch, "run", "mensuel", "2026-03") == 1
    assert "job: expected one of batch, " in capsys.readouterr().err
    asked = []
    monkeypatch.setattr(launching, "run_job", lambda *_, **months: asked.append(months))
    assert sf(monkeypatch, "run", "history", "2025-11", "--until", "2026-03") == 1
    assert asked == [{"first": date(2025, 11, 1), "last": MARCH}]
    monkeypatch.setattr(launching, "run_from", lambda *_, **options: asked.append(options))
    assert sf(monkeypatch, "run", "monthly", "2026-03", "--from", "src_debit", "--after", "stg_ap") == 1
    assert asked[1:] == [{"month": MARCH, "starts": ["src_debit"], "after": ["stg_ap"]}]
    assert sf(monkeypatch, "run", "monthly", "2025-11", "--until", "2026-03", "--from", "src_debit") == 2


@pytest.mark.parametrize(
    ("last", "policy", "runs", "expected"),
    [
        (None, dg.BackfillPolicy.single_run(), 1, ["2025-11-01"]),
        (date(2026, 1, 1), dg.BackfillPolicy.single_run(), 1, ["2025-11-01", "2026-01-01"]),
        (date(2026, 1, 1), dg.BackfillPolicy.multi_run(2), 2, ["2025-11-01", "2025-12-01", "2026-01-01"]),
    ],
)
def test_a_job_runs_for_one_month_or_for_a_range(
    last: date | None,
    policy: dg.BackfillPolicy,
    runs: int,
    expected: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each run of a range appends its first and its last month."""
    computed: list[str] = []
    monkeypatch.setattr(launching, "refresh_status", lambda *_: True)

    @dg.asset(partitions_def=months, backfill_policy=policy)
    def figures(context: dg.AssetExecutionContext) -> None:
        computed.extend([context.partition_keys[0], *context.partition_keys[1:][-1:]])

    defs = dg.Definitions(assets=[figures], jobs=[dg.define_asset_job("compute", [figures])])
    with dg.instance_for_test() as instance:
        assert launching.run_job(defs, instance, "compute", first=date(2025, 11, 1), last=last)
        # The timeline and the page of a job show the runs of a code location only.
        (module,) = re.findall("module_name: (.*)", (Path(__file__).parents[1] / "workspace.yaml").read_text())
        shown = instance.get_runs(dg.RunsFilter(tags={".dagster/repository": f"__repository__@{module}"}))
        for run in shown:
            assert run.remote_job_origin is not None
            assert (run.remote_job_origin.location_name, run.remote_job_origin.job_name) == (module, "compute")
            assert run.is_success
        assert len(shown) == runs
    assert computed == expected
    assert "figures" in capsys.readouterr().out


@pytest.mark.parametrize(("failing", "expected"), [(None, 3), ("2025-12-01", 2)])
def test_a_job_that_takes_one_month_runs_each_month_of_a_range_until_one_fails(
    failing: str | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []
    monkeypatch.setattr(launching, "refresh_status", lambda *_: True)

    @dg.asset(partitions_def=months)
    def figures(context: dg.AssetExecutionContext) -> None:
        computed.append(context.partition_key)
        if context.partition_key == failing:
            raise ValueError(failing)

    defs = dg.Definitions(assets=[figures], jobs=[dg.define_asset_job("compute", [figures])])
    with dg.instance_for_test() as instance:
        succeeded = launching.run_job(defs, instance, "compute", first=date(2025, 11, 1), last=date(2026, 1, 1))
    assert succeeded is (failing is None)
    assert computed == ["2025-11-01", "2025-12-01", "2026-01-01"][:expected]


def test_a_daemon_does_not_start_a_run_again_that_failed_before_the_eyes_of_who_launched_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(launching, "refresh_status", lambda *_: True)

    @dg.asset(partitions_def=months)
    def figures() -> None:
        raise ValueError

    defs = dg.Definitions(assets=[figures], jobs=[dg.define_asset_job("compute", [figures])])
    retries = {"run_retries": {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": True}}
    with dg.instance_for_test(overrides=retries) as instance:
        assert not launching.run_job(defs, instance, "compute", first=date(2025, 11, 1))
        (run,) = instance.get_runs()
    assert run.is_failure
    assert run.tags.get("dagster/will_retry") != "true"


@pytest.mark.parametrize("job", ["batch", "history", "score"])
def test_a_range_of_months_written_backwards_starts_nothing(job: str) -> None:
    from sf_assets.definitions import defs  # noqa: PLC0415 - loads every layer

    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(
            UserError, match="expected a range from its earlier month to its later one, found 2026-03 to 2025-11"
        ):
            launching.run_job(defs, instance, job, first=MARCH, last=date(2025, 11, 1))
        assert instance.get_runs_count() == 0


@pytest.mark.usefixtures("data")
def test_maintenance_is_a_dry_run_unless_it_is_applied(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sf(monkeypatch, "maintenance") == 0
    assert capsys.readouterr().out.startswith("dry run: ")
    assert sf(monkeypatch, "maintenance", "--apply") == 0
    assert capsys.readouterr().out.startswith("done: ")


@pytest.mark.usefixtures("data")
def test_evaluate_and_search_receive_their_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def report(_warehouse: object, month: date, **_: object) -> tuple[Path, None]:
        asked.append(month)
        return Path("report.html"), None

    monkeypatch.setattr(evaluation_report, "write_report", report)
    monkeypatch.setattr(evaluation_report, "summary", lambda _: ["figures"])
    assert CliRunner().invoke(app, ["evaluate", "2026-03", "--report-only"]).stdout == "figures\n\nreport.html\n"
    monkeypatch.setattr(search, "results", lambda *_, **settings: asked.append(settings) or ["line"])
    result = CliRunner().invoke(app, ["search", "2026-03", "--method", "foret", "--rows", "50"])
    assert (result.exit_code, result.stdout) == (0, "line\n")
    assert asked == [MARCH, {"methods": ["foret"], "at_most": 50}]
    monkeypatch.setattr(search, "table_results", lambda *named, **_: asked.append(named) or ["line"])
    panel = ["search", "--table", "p.csv", "--group", "firm", "--target", "failed", "--period", "year"]
    assert CliRunner().invoke(app, panel).stdout == "line\n"
    assert asked[-1] == (Path("p.csv"), Names("firm", "failed", "year"))
    assert CliRunner().invoke(app, ["search"]).exit_code == 2


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("name", ["perdue", "few_refused"])
def test_faults_of_unknown_names_are_refused(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in (("inject", name, "2026-03"), ("run", name)):
        assert sf(monkeypatch, "faults", *line) == 1
        assert re.match(r"fault: expected .*, found " + name, capsys.readouterr().err)


def test_answers_of_an_empty_warehouse_say_that_no_list_was_published(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sf(monkeypatch, "answers", "2026-03") == 0
    assert capsys.readouterr().out == "aucune liste publiée avant ce mois\n"


def test_columns_says_what_each_column_is_used_for(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sf(monkeypatch, "columns", "stg_ccsf") == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["siret: key", "compte: nothing"]
    assert sf(monkeypatch, "columns", "stg_unknown") == 1
    assert "expected one of" in capsys.readouterr().err


def test_faults_list_names_a_check_and_advice_for_each_fault() -> None:
    lines = CliRunner().invoke(app, ["faults", "list"]).stdout.splitlines()
    assert len(lines) >= 2 * 30
    assert all(line.startswith("    ") for line in lines[1::2])


def test_generate_writes_a_batch_and_counts_its_files(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["generate", "2026-03", str(tmp_path / "2603"), "--companies", "20", "--years", "3"]
    )
    assert result.exit_code == 0
    files = sum(path.is_file() for path in (tmp_path / "2603").rglob("*"))
    assert f"{files} files, " in result.stdout


@pytest.mark.parametrize("line", [("demo", "--companies", "0"), ("generate", "2026-03", "x", "--companies", "none")])
def test_a_number_of_companies_is_a_positive_number(line: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, [*line]).exit_code == 2


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("error", [UserError("expected one, found two"), PermanentFailure("expected one, found two")])
def test_an_error_that_its_user_can_correct_is_one_sentence(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr("sf_assets.operations.explain.write_page", fails)
    monkeypatch.setattr(sys, "argv", ["sf", "explain", "2026-10", "005520135"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "expected one, found two\n"


@pytest.mark.usefixtures("data")
def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sf_assets.operations.explain.write_page", lambda *_, **__: {}["siren"])
    monkeypatch.setattr(sys, "argv", ["sf", "explain", "2026-10", "005520135"])
    with pytest.raises(KeyError):
        main()


@pytest.mark.usefixtures("data")
def test_a_setting_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SF_THREADS", "many")
    monkeypatch.setattr(sys, "argv", ["sf", "explain", "2026-10", "005520135"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert "SF_THREADS" in f"{capsys.readouterr().err}{ended.value.code}"
