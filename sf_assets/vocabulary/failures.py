"""The failures that a rerun cannot change, each with a name.

What may pass by itself, a lock or a network share, is retried where it happens.
"""

import dagster as dg


class UserError(ValueError):
    """An argument, setting or file that its author can correct: the message says what was expected and found."""


class PermanentFailure(dg.Failure):
    """A failure that a retry would only repeat: the message says what was expected, what was found and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(description=message, allow_retries=False)


class Blocked(PermanentFailure):
    """Something this step reads was not judged sound: the gate stays shut until its checks pass."""


class BadFile(PermanentFailure):
    """A partner's file is missing, cut, or not of the shape it promised."""
