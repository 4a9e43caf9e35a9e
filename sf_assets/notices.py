"""Notices of what went wrong: what they say, and how they leave, by mail and by webhook."""

import json
import smtplib
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

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


def send(notice: Notice, channels: Channels) -> tuple[str, ...]:
    """Send a notice by every channel there is; return their names.

    Raises:
        OSError: a server does not answer, or refuses. The webhook goes first: mail is not tried after it failed.

    """
    sent: list[str] = []
    if channels.webhook:
        _post(notice, channels.webhook)
        sent.append("webhook")
    if channels.smtp:
        _mail(notice, channels.smtp, channels.sender, channels.recipients)
        sent.append("mail")
    return tuple(sent)


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
