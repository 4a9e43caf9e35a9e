"""Notices of what went wrong: what they say, and how they leave, by mail and by webhook.

A notice is a file of the outbox until each channel took it: a server that is down delays it, and loses none.
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

_TIMEOUT_SECONDS = 10
_LONGEST = 4000  # characters of one trouble: a stack of calls is read on the page of the run
_MOST = 30  # troubles of one notice


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened, in one line, then each trouble in a paragraph; `link` is the page of the run, empty without one."""

    subject: str
    troubles: tuple[str, ...]
    link: str = ""

    @property
    def text(self) -> str:
        """The body of a message."""
        shown = [trouble[:_LONGEST] for trouble in self.troubles[:_MOST]]
        more = [f"… and {len(self.troubles) - _MOST} more"] if len(self.troubles) > _MOST else []
        return "\n\n".join([*shown, *more, *([self.link] if self.link else [])])


@dataclass(frozen=True, slots=True)
class Channels:
    """Where notices go besides the log.

    `webhook` receives `{"text": …}`, as Mattermost and others read it. `smtp` is the `host:port` of a relay that takes
    mail without a password.
    """

    webhook: str = ""
    smtp: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outbox:
    """Where notices wait, where they go, and the address of the pages that they link to."""

    folder: Path
    channels: Channels = Channels()
    ui: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one notice at one tick: the channels that took it, and those that did not, each with why."""

    sent: tuple[str, ...]
    kept: Mapping[str, str]


def keep(outbox: Path, name: str, notice: Notice, channels: Channels) -> None:
    """Keep a notice in the outbox until each channel there is has taken it; nothing is kept without a channel."""
    if waiting := list(_senders(channels)):
        _write(make_private_folder(outbox) / f"{name}.json", {**asdict(notice), "channels": waiting})


def deliver(outbox: Path, channels: Channels) -> dict[str, Tried]:
    """Try each notice of the outbox by each channel that has not taken it yet, oldest first; return what became of each.

    A channel that fails keeps no other from being tried. One whose server does not answer is not asked again before the
    next tick; a server that refuses one notice is asked about the others. A channel that is no longer configured is
    waited for no more.
    """
    if not outbox.is_dir():
        return {}
    senders = _senders(channels)
    down: dict[str, str] = {}
    tried: dict[str, Tried] = {}
    with _alone(outbox):
        for path in sorted(outbox.glob("*.json"), key=lambda path: path.stat().st_mtime_ns):
            kept = json.loads(path.read_text(encoding="utf-8"))
            waiting = [name for name in kept.pop("channels") if name in senders]
            notice = Notice(kept["subject"], tuple(kept["troubles"]), kept["link"])
            failed = {}
            for name in waiting:
                if name not in down and (fault := _fault(senders[name], notice)):
                    failed[name] = fault.why
                    down |= {name: fault.why} if fault.silent else {}
                elif name in down:
                    failed[name] = down[name]
            tried[path.stem] = Tried(tuple(name for name in waiting if name not in failed), failed)
            if failed:
                if len(failed) < len(waiting):
                    _write(path, {**asdict(notice), "channels": list(failed)})
            else:
                path.unlink()
    return tried


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why a notice did not leave; `silent` when the server did not answer at all."""

    why: str
    silent: bool


def _fault(sender: Callable[[Notice], None], notice: Notice) -> _Fault | None:
    try:
        sender(notice)
    except urllib.error.HTTPError as error:
        return _Fault(f"HTTP {error.code}", silent=False)
    except smtplib.SMTPResponseException as error:
        return _Fault(f"SMTP {error.smtp_code}", silent=False)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # Its text may hold the address, which is a secret, or those of recipients.
        return _Fault(type(error).__name__, silent=not isinstance(error, ValueError | smtplib.SMTPRecipientsRefused))
    return None


def _senders(channels: Channels) -> dict[str, Callable[[Notice], None]]:
    senders: dict[str, Callable[[Notice], None]] = {}
    if channels.webhook:
        senders["webhook"] = lambda notice: _post(notice, channels.webhook)
    if channels.smtp:
        senders["mail"] = lambda notice: _mail(notice, channels.smtp, channels.sender, channels.recipients)
    return senders


def _write(path: Path, kept: Mapping[str, object]) -> None:
    """Write a notice whole or not at all; one that is rewritten keeps its place among the others."""
    former = path.stat() if path.exists() else None
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    if former:
        os.utime(draft, ns=(former.st_atime_ns, former.st_mtime_ns))
    draft.replace(path)


@contextmanager
def _alone(outbox: Path) -> Iterator[None]:
    """Let one process at a time send, so that a notice does not leave twice."""
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
