"""Notices of failed runs and failed checks: their text, and how they are sent, by mail and by webhook.

A notice is a file of the outbox until each channel accepted it: a server that is down delays a notice and loses none.
"""

import fcntl
import http.client
import json
import os
import smtplib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from pathlib import Path

from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.engine.storage.shelves import Shelf

_TIMEOUT_SECONDS = 10
_LONGEST = 4000  # characters of one problem; the page of the run has the stack of calls
_MOST = 30  # problems of one notice


@dataclass(frozen=True, slots=True)
class Notice:
    """One event: its subject, one paragraph for each of its `troubles`, and the link to the page of the run, if any."""

    subject: str
    troubles: tuple[str, ...]
    link: str = ""

    @property
    def text(self) -> str:
        """The body of the message."""
        paragraphs = [trouble[:_LONGEST] for trouble in self.troubles[:_MOST]]
        more = [f"… and {len(self.troubles) - _MOST} more"] if len(self.troubles) > _MOST else []
        return "\n\n".join([*paragraphs, *more, *([self.link] if self.link else [])])


@dataclass(frozen=True, slots=True)
class Channels:
    """Where notices are sent besides the log.

    `webhook` is a URL that accepts `{"text": …}`, as Mattermost does. `smtp` is the `host:port` of a relay that accepts mail
    without a password.
    """

    webhook: str = ""
    smtp: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outbox:
    """The folder in which notices wait, the channels that send them, and the address of Dagster's pages for links."""

    shelf: Shelf
    channels: Channels = Channels()
    ui: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of one attempt to send a notice: channels that accepted it, and the error of each other channel."""

    sent: tuple[str, ...]
    failed: Mapping[str, str]


def enqueue(outbox: Path, name: str, notice: Notice, channels: Channels) -> None:
    """Store a notice in the outbox until each configured channel accepted it; without a channel nothing is stored."""
    if waiting := list(_senders(channels)):
        _write(make_private_folder(outbox) / f"{name}.json", {**asdict(notice), "channels": waiting})


def deliver(outbox: Path, channels: Channels) -> dict[str, Attempt]:
    """Send each notice of the outbox by each channel that did not accept it yet, oldest first; return an attempt by name.

    A failing channel does not stop the others. A server that does not answer is tried again at the next call only; a server
    that refuses one notice is still sent the others. A channel that is no longer configured is dropped from the notice.
    A notice that cannot be read is left aside.
    """
    if not outbox.is_dir():
        return {}
    senders = _senders(channels)
    down: dict[str, str] = {}
    attempts: dict[str, Attempt] = {}
    with _exclusive(outbox):
        for path in sorted(outbox.glob("*.json"), key=lambda path: path.stat().st_mtime_ns):
            try:
                notice, channels_of = _read(path)
            except (OSError, ValueError, KeyError, TypeError) as error:
                # Left aside with another ending: it must not stop the notices that follow.
                path.replace(path.with_suffix(".unreadable"))
                attempts[path.stem] = Attempt((), {"outbox": type(error).__name__})
                continue
            waiting = [name for name in channels_of if name in senders]
            failed = {}
            for name in waiting:
                if name not in down and (failure := _send(senders[name], notice)):
                    failed[name] = failure.reason
                    down |= {name: failure.reason} if failure.unreachable else {}
                elif name in down:
                    failed[name] = down[name]
            attempts[path.stem] = Attempt(tuple(name for name in waiting if name not in failed), failed)
            if failed:
                if len(failed) < len(waiting):
                    _write(path, {**asdict(notice), "channels": list(failed)})
            else:
                path.unlink()
    return attempts


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a notice was not sent; `unreachable` when the server did not answer at all."""

    reason: str
    unreachable: bool


def _send(sender: Callable[[Notice], None], notice: Notice) -> _Failure | None:
    try:
        sender(notice)
    except urllib.error.HTTPError as error:
        return _Failure(f"HTTP {error.code}", unreachable=False)
    except smtplib.SMTPResponseException as error:
        return _Failure(f"SMTP {error.smtp_code}", unreachable=False)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # The text of the error may hold the address of the webhook, which is a secret, or addresses of recipients.
        return _Failure(
            type(error).__name__, unreachable=not isinstance(error, ValueError | smtplib.SMTPRecipientsRefused)
        )
    return None


def _senders(channels: Channels) -> dict[str, Callable[[Notice], None]]:
    senders: dict[str, Callable[[Notice], None]] = {}
    if channels.webhook:
        senders["webhook"] = lambda notice: _post(notice, channels.webhook)
    if channels.smtp:
        senders["mail"] = lambda notice: _mail(notice, channels.smtp, channels.sender, channels.recipients)
    return senders


def _read(path: Path) -> tuple[Notice, list[str]]:
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Notice(stored["subject"], tuple(stored["troubles"]), stored["link"]), list(stored["channels"])


def _write(path: Path, content: Mapping[str, object]) -> None:
    """Write a notice atomically; a rewritten notice keeps its time, and so its place in the order."""
    former = path.stat() if path.exists() else None
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    if former:
        os.utime(draft, ns=(former.st_atime_ns, former.st_mtime_ns))
    draft.replace(path)


@contextmanager
def _exclusive(outbox: Path) -> Iterator[None]:
    """Allow one process at a time to send, so that no notice is sent twice."""
    with (outbox / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _post(notice: Notice, webhook: str) -> None:
    body = json.dumps({"text": f"**{notice.subject}**\n\n{notice.text}"}).encode()
    request = urllib.request.Request(webhook, body, {"Content-Type": "application/json"})  # noqa: S310 - settings refuse other schemes
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310 - the same
        pass


def _mail(notice: Notice, smtp: str, sender: str, recipients: Sequence[str]) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = notice.subject, sender, ", ".join(recipients)
    message.set_content(notice.text)
    host, _, port = smtp.partition(":")
    with smtplib.SMTP(host, int(port), timeout=_TIMEOUT_SECONDS) as relay:
        relay.send_message(message)
