"""The effect of a write on the warehouse."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Write:
    """The effect of one commit on one table: `rows` took the place of `replaced` rows.

    `unchanged` counts the rows of months that already had the same rows: they keep the snapshot that first wrote them, so
    that verdicts and acceptances on them remain valid. `seconds` covers the computation and the commit, the wait for other
    writers included.
    """

    table: str
    rows: int
    replaced: int
    snapshot: int
    seconds: float
    unchanged: int = 0
