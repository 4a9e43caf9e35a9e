"""Failures that a rerun cannot change.

Transient errors, such as a lock or a network share that does not answer, are retried where they happen.
"""

import dagster as dg


class UserError(ValueError):
    """An argument, setting or file that its author can correct: the message says what was expected and found."""


class PermanentFailure(dg.Failure):
    """A failure that a retry would repeat. The message says what was expected, what was found and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(description=message, allow_retries=False)


class Blocked(PermanentFailure):
    """An input of the step has not passed its blocking checks: the gate stays shut until it does."""


class BadFile(PermanentFailure):
    """A delivered file is missing, incomplete, or does not have the expected format."""
