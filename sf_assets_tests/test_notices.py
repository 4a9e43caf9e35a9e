"""Notices of failed runs and failed checks: the log, a webhook and a mailbox, seen from local servers."""

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_string
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.definitions import defs
from sf_assets.engine.storage import Warehouse
from sf_assets.operations import sensors
from sf_assets.operations.notices import Attempt, Channels, Notice, deliver, enqueue
from sf_assets.settings import PREFIX, Settings
from sf_assets.vocabulary.failures import Blocked

NOTICE = Notice(
    "sf_assets: monthly 2026-03-01 failed", ("stg_debit: few_refused refuses 12 of 100.",), "http://ui/runs/1"
)
MONTHS = dg.MonthlyPartitionsDefinition("2026-01-01", end_date="2026-07-01")


@dataclass
class Received:
    """What a local server was sent, and where it listens."""

    port: int
    messages: list[str] = field(default_factory=list)


@contextmanager
def serving(server: socketserver.BaseServer, received: Received) -> Iterator[Received]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def webhook() -> Iterator[Received]:
    """Return an HTTP server that takes what is posted to /hook, and nothing elsewhere."""
    received = Received(0)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.messages.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200 if self.path == "/hook" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    received.port = server.server_address[1]
    with serving(server, received):
        yield received


@pytest.fixture
def mailbox() -> Iterator[Received]:
    """Return a mail server that takes every message."""
    received = Received(0)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 local\r\n")
            lines: list[str] | None = None
            for raw in self.rfile:
                line = raw.decode().rstrip("\r\n")
                if lines is not None:
                    if line != ".":
                        lines.append(line)
                        continue
                    received.messages.append("\n".join(lines))
                    lines = None
                elif line.upper() == "DATA":
                    lines = []
                    self.wfile.write(b"354 go on\r\n")
                    continue
                self.wfile.write(b"221 bye\r\n" if line.upper() == "QUIT" else b"250 fine\r\n")
                if line.upper() == "QUIT":
                    return

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    received.port = server.server_address[1]
    with serving(server, received):
        yield received


FROM_TO = {"sender": "sf@example.fr", "recipients": ("a@b.fr", "c@d.fr")}


def channels_of(webhook: Received, mailbox: Received, page: str = "hook") -> Channels:
    return Channels(
        f"http://127.0.0.1:{webhook.port}/{page}", f"127.0.0.1:{mailbox.port}", "sf@example.fr", ("a@b.fr", "c@d.fr")
    )


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_notice_is_posted_to_the_webhook_and_mailed_once(
    tmp_path: Path, webhook: Received, mailbox: Received
) -> None:
    channels = channels_of(webhook, mailbox)
    enqueue(tmp_path / "notices", "run", NOTICE, channels)
    assert deliver(tmp_path / "notices", channels) == {"run": Attempt(("webhook", "mail"), {})}
    text = f"{NOTICE.troubles[0]}\n\n{NOTICE.link}"
    assert [json.loads(body) for body in webhook.messages] == [{"text": f"**{NOTICE.subject}**\n\n{text}"}]
    (mail,) = (message_from_string(body, policy=default) for body in mailbox.messages)
    assert (mail["Subject"], mail["From"], mail["To"]) == (NOTICE.subject, "sf@example.fr", "a@b.fr, c@d.fr")
    assert mail.get_content().strip() == text
    assert deliver(tmp_path / "notices", channels) == {}
    assert (len(webhook.messages), len(mailbox.messages)) == (1, 1)


def test_without_channels_nothing_is_stored_nor_sent(tmp_path: Path) -> None:
    enqueue(tmp_path / "notices", "run", NOTICE, Channels())
    assert deliver(tmp_path / "notices", Channels()) == {}
    assert list(tmp_path.iterdir()) == []


def test_mail_is_tried_when_the_webhook_is_down_and_the_webhook_again_until_it_answers(
    tmp_path: Path, webhook: Received, mailbox: Received
) -> None:
    down = replace(channels_of(webhook, mailbox), webhook=f"http://127.0.0.1:{closed_port()}/hook")
    for name in ("first", "second"):
        enqueue(tmp_path, name, NOTICE, down)
    for _ in range(2):
        tried = deliver(tmp_path, down)
        assert [one.failed for one in tried.values()] == [{"webhook": "URLError"}] * 2
    assert [one.sent for one in tried.values()] == [(), ()]
    assert len(mailbox.messages) == 2
    up = channels_of(webhook, mailbox)
    assert deliver(tmp_path, up) == {name: Attempt(("webhook",), {}) for name in ("first", "second")}
    assert (len(webhook.messages), len(mailbox.messages)) == (2, 2)
    assert list(tmp_path.glob("*.json")) == []


def test_both_are_tried_again_when_both_are_down(tmp_path: Path, webhook: Received, mailbox: Received) -> None:
    down = Channels(f"http://127.0.0.1:{closed_port()}/hook", f"127.0.0.1:{closed_port()}", **FROM_TO)
    enqueue(tmp_path, "run", NOTICE, down)
    assert list(deliver(tmp_path, down)["run"].failed) == ["webhook", "mail"]
    assert deliver(tmp_path, channels_of(webhook, mailbox))["run"] == Attempt(("webhook", "mail"), {})


def test_a_server_that_refuses_one_notice_is_asked_about_the_others_and_says_so(
    tmp_path: Path, webhook: Received, mailbox: Received
) -> None:
    channels = channels_of(webhook, mailbox, "elsewhere")
    for name in ("first", "second"):
        enqueue(tmp_path, name, NOTICE, channels)
    assert [one.failed for one in deliver(tmp_path, channels).values()] == [{"webhook": "HTTP 404"}] * 2
    assert len(webhook.messages) == 2


def test_a_channel_that_is_no_longer_configured_is_waited_for_no_more(tmp_path: Path, mailbox: Received) -> None:
    down = Channels(f"http://127.0.0.1:{closed_port()}/secret", f"127.0.0.1:{mailbox.port}", **FROM_TO)
    enqueue(tmp_path, "run", NOTICE, down)
    tried = deliver(tmp_path, down)
    assert "secret" not in repr(tried)
    assert deliver(tmp_path, replace(down, webhook=""))["run"] == Attempt((), {})
    assert list(tmp_path.glob("*.json")) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"subject": "cut"}'])
def test_a_notice_that_cannot_be_read_is_left_aside_and_the_others_are_sent(
    tmp_path: Path, webhook: Received, text: str
) -> None:
    (tmp_path / "broken.json").write_text(text)
    channels = Channels(webhook=f"http://127.0.0.1:{webhook.port}/hook")
    enqueue(tmp_path, "whole", NOTICE, channels)
    attempts = deliver(tmp_path, channels)
    assert attempts["whole"] == Attempt(("webhook",), {})
    assert set(attempts["broken"].failed) == {"outbox"}
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == ["broken.unreadable"]
    assert deliver(tmp_path, channels) == {}


def test_a_notice_is_cut_to_what_a_person_reads() -> None:
    text = Notice("s", tuple("x" * 5000 for _ in range(40))).text
    assert len(text) < 130_000
    assert text.endswith("… and 10 more")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SF_NOTICE_WEBHOOK": "ftp://x/secret"}, "SF_NOTICE_WEBHOOK.*expected an address in http or https"),
        ({"SF_NOTICE_SMTP": "relay"}, "SF_NOTICE_SMTP"),
        ({"SF_NOTICE_SMTP": "relay:25"}, "SF_NOTICE_SMTP, SF_NOTICE_FROM and SF_NOTICE_TO: expected all three or none"),
    ],
)
def test_channels_are_settings_that_are_checked_and_a_secret_is_not_repeated(
    environment: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as error:
        Settings.from_environment(environment)
    assert "secret" not in str(error.value)


def test_the_address_of_the_webhook_does_not_show_in_the_settings() -> None:
    settings = Settings.from_environment({"SF_NOTICE_WEBHOOK": "https://chat.example.fr/hooks/secret"})
    assert "secret" not in repr(settings)


@dg.asset(partitions_def=MONTHS)
def up() -> None: ...


@dg.asset(partitions_def=MONTHS)
def held() -> None:
    raise Blocked("Inputs of this step did not pass their checks:\n- up, 2026-03: nothing")


NAME = "O'DUPONT"


@dg.asset(partitions_def=MONTHS)
def broken(context: dg.AssetExecutionContext) -> None:
    folder = context.run_tags["folder"]
    with Warehouse(catalog=f"{folder}/catalog.sqlite", data_path=f"{folder}/tables").session() as session:
        session.connection.execute("select cast(name as integer) from (values ($1)) as t (name)", [NAME])


@dg.asset(partitions_def=MONTHS)
def odd() -> None:
    raise ValueError(NAME)


@dg.multi_asset_check(
    specs=[dg.AssetCheckSpec(name, asset="up", partitions_def=MONTHS) for name in ("odd", "fine", "known")]
)
def checks() -> Iterator[dg.AssetCheckResult]:
    yield dg.AssetCheckResult(
        check_name="odd", asset_key="up", passed=False, severity=dg.AssetCheckSeverity.WARN,
        description="Refused for 2026-03: 4 of 4.", metadata={"advice": "Ask URSSAF."},
    )  # fmt: skip
    yield dg.AssetCheckResult(check_name="fine", asset_key="up", passed=True)
    yield dg.AssetCheckResult(check_name="known", asset_key="up", passed=False, metadata={"accepted": "by C. Duval"})


HEARD: list[str] = []  # the log of the last run


def ended(*assets: str, sensor: dg.RunStatusSensorDefinition, tags: dict[str, str] | None = None) -> dg.SkipReason:
    """Run some assets of March to their end, and let a sensor hear of it; return what it answers."""
    job = dg.Definitions(
        assets=[up, held, broken, odd], asset_checks=[checks], jobs=[dg.define_asset_job("monthly", list(assets))]
    ).resolve_job_def("monthly")
    instance = dg.DagsterInstance.ephemeral()
    result = job.execute_in_process(instance=instance, partition_key="2026-03-01", raise_on_error=False, tags=tags)
    event = next(event for event in reversed(result.all_events) if event.is_job_event)
    context = dg.build_run_status_sensor_context(
        sensor.name,
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=result.dagster_run,
        resources={"notices": Settings.from_environment().notices},
    )
    if sensor is sensors.tell_failures:
        context = context.for_run_failure()
    answer = sensor(context)
    assert isinstance(answer, dg.SkipReason)
    HEARD[:] = [str(entry) for entry in instance.all_logs(result.run_id)]
    return answer


@pytest.fixture
def received(webhook: Received, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Received:
    """Send the notices of this process to the local webhook."""
    monkeypatch.setenv(f"{PREFIX}DATA_DIR", str(tmp_path))
    monkeypatch.setenv(f"{PREFIX}NOTICE_WEBHOOK", f"http://127.0.0.1:{webhook.port}/hook")
    monkeypatch.setenv(f"{PREFIX}UI", "https://sf.example.fr/")
    return webhook


def test_a_failed_run_is_reported_once_with_its_month_its_cause_and_its_page(received: Received) -> None:
    answer = ended("held", sensor=sensors.tell_failures)
    assert answer.skip_message == "sf_assets: monthly 2026-03-01 failed; sent to log, webhook"
    (body,) = received.messages
    text = json.loads(body)["text"]
    assert text.startswith("**sf_assets: monthly 2026-03-01 failed**")
    assert "held: Inputs of this step did not pass their checks:\n- up, 2026-03: nothing" in text
    assert "https://sf.example.fr/runs/" in text


def test_an_error_of_the_engine_names_its_class_and_place_and_no_value_in_notice_nor_log(
    received: Received, tmp_path: Path
) -> None:
    ended("broken", sensor=sensors.tell_failures, tags={"folder": str(tmp_path)})
    (body,) = received.messages
    assert "broken: EngineError: ConversionException (INT32, LINE 1)" in body
    assert any("EngineError" in entry for entry in HEARD)
    assert "DUPONT" not in "".join([body, *HEARD])


def test_any_other_error_shows_its_class_alone_in_a_notice(received: Received) -> None:
    ended("odd", sensor=sensors.tell_failures)
    (body,) = received.messages
    assert "odd: ValueError, see the page of the run" in body
    assert "DUPONT" not in body


def test_a_notice_that_was_not_sent_is_sent_at_the_next_tick(
    received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}NOTICE_WEBHOOK", f"http://127.0.0.1:{closed_port()}/hook")
    answer = ended("held", sensor=sensors.tell_failures)
    assert answer.skip_message == (
        "sf_assets: monthly 2026-03-01 failed; sent to log; webhook: URLError, sent again at the next tick"
    )
    monkeypatch.setenv(f"{PREFIX}NOTICE_WEBHOOK", f"http://127.0.0.1:{received.port}/hook")
    for message, sent in (("1 notices sent, 0 wait", 1), ("no notice waits", 1)):
        with dg.build_sensor_context(resources={"notices": Settings.from_environment().notices}) as context:
            again = sensors.send_again(context)
        assert isinstance(again, dg.SkipReason)
        assert (again.skip_message, len(received.messages)) == (message, sent)


def test_a_failed_check_of_a_successful_run_is_reported_with_what_to_do(received: Received) -> None:
    ended("up", sensor=sensors.tell_failed_checks)
    (body,) = received.messages
    text = json.loads(body)["text"]
    assert "monthly 2026-03-01 ended with failed checks" in text
    assert "up, odd (warn): Refused for 2026-03: 4 of 4. Ask URSSAF." in text
    assert "fine" not in text


def test_an_accepted_check_is_not_reported_again(received: Received) -> None:
    ended("up", sensor=sensors.tell_failed_checks)
    assert "known" not in received.messages[0]


def test_a_run_that_is_retried_is_not_reported(received: Received) -> None:
    answer = ended("held", sensor=sensors.tell_failures, tags={"dagster/will_retry": "true"})
    assert "is started again" in str(answer.skip_message)
    assert received.messages == []


def test_a_refresh_after_a_run_does_not_repeat_the_morning_report(received: Received) -> None:
    answer = ended(
        "up", sensor=sensors.tell_failed_checks, tags={"dagster/sensor_name": "refresh_status_after_success"}
    )
    assert "the morning refresh of the status reports its checks" in str(answer.skip_message)
    assert received.messages == []


def test_the_sensors_are_on_and_every_month_that_ends_is_looked_at_again() -> None:
    by_name = {sensor.name: sensor for sensor in defs.sensors}
    assert all(sensor.default_status == dg.DefaultSensorStatus.RUNNING for sensor in sensors.SENSORS)
    assert {"tell_failures", "tell_failed_checks", "send_again"} <= set(by_name)
    assert {by_name[f"refresh_status_after_{end}"].job_name for end in ("success", "failure")} == {"refresh_status"}
