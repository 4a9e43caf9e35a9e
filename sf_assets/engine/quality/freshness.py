"""Whether what was computed is older than what it was computed from.

Each write records the assets and months it read, with the snapshot that wrote each (`storage/inputs.py`). An asset is out
of date when one of these was written again since, and passed its checks; or when one of these is out of date itself. A
newer write that was refused, or is not judged yet, says nothing: what was computed before stands.

What does no harm is not taken for it. An input is looked for in the month that was read, so that a yearly file in force or
a past computed from a later batch stays fresh; rows written again as they were keep their snapshot, as does the merging of
files; what was computed before inputs were recorded is read as it was.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sf_assets.engine.quality.acceptances import CheckKey
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.content import covers
from sf_assets.engine.storage.inputs import ASSET_INPUTS, Read
from sf_assets.vocabulary.partitions import add_months

# What each asset and month was computed from, with the snapshot that had written it.
Inputs = Mapping[Read, Mapping[Read, int | None]]


@dataclass(frozen=True, slots=True, order=True)
class Outdated:
    """One asset and month to run again: it read `input` of `input_month` before the last write of it."""

    asset: str
    input: str
    input_month: date
    month: date


def inputs_of(session: Session, reads: Iterable[Read]) -> dict[Read, dict[Read, int | None]]:
    """Return what these were computed from, what that was computed from, and so on back to the files."""
    session.bind({ASSET_INPUTS: None})
    stored: dict[Read, dict[Read, int | None]] = {}
    found: dict[Read, dict[Read, int | None]] = {}
    loaded: set[date] = set()
    todo = set(reads)
    while todo:
        if months := {month for _, month in todo} - loaded:
            loaded |= months
            rows = session.connection.execute(
                "select asset, month, input, input_month, snapshot from asset_inputs "
                f"where {covers({'month': sorted(months)})}"
            )
            for asset, month, name, day, snapshot in rows.fetchall():
                stored.setdefault((asset, month), {})[name, day] = snapshot
        found |= {read: stored.get(read, {}) for read in todo}
        todo = {one for read in todo for one in found[read]} - found.keys()
    return found


def outdated(
    inputs: Inputs, verdicts: Mapping[CheckKey, Mapping[str, Any]], accepted: Collection[CheckKey]
) -> dict[Read, frozenset[Outdated]]:
    """Return what must run again before each asset and month of `inputs` is up to date; those that are, are left out.

    `verdicts` and `accepted` are those on all of them.
    """
    passed = _passed(verdicts, accepted)
    causes: dict[Read, frozenset[Outdated]] = {}

    def cause(read: Read) -> frozenset[Outdated]:
        if read not in causes:
            own = {
                Outdated(read[0], *one, read[1])
                for one, snapshot in inputs[read].items()
                if one in passed and passed[one] != snapshot
            }
            causes[read] = frozenset(own).union(*(cause(one) for one in inputs[read]))
        return causes[read]

    return {read: found for read in inputs if (found := cause(read))}


def _passed(verdicts: Mapping[CheckKey, Mapping[str, Any]], accepted: Collection[CheckKey]) -> dict[Read, int | None]:
    """Return the snapshot of the last write that passed all of its blocking checks, of what was judged."""
    blocking = {judged: verdict for judged, verdict in verdicts.items() if verdict["severity"] == "error"}
    refused = {judged[:2] for judged, verdict in blocking.items() if not verdict["passed"] and judged not in accepted}
    return {
        (asset, month): verdict["snapshot"]
        for (asset, month, _), verdict in blocking.items()
        if (asset, month) not in refused
    }


def said(found: Iterable[Outdated]) -> Iterator[str]:
    """Yield one line for each asset to run again, its months together."""
    for (asset, name, day), same in groupby(sorted(found), key=lambda one: (one.asset, one.input, one.input_month)):
        yield (
            f"{asset}, {spans(one.month for one in same)}: stale, {name} of {day:%Y-%m} was written again since and passed "
            f"its checks. Rerun {asset}, then what follows it."
        )


def spans(months: Iterable[date]) -> str:
    """Return months in words, those that follow one another as a range.

    >>> spans([date(2026, 5, 1), date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)])
    '2026-01 to 2026-03, 2026-05'
    """
    ranges: list[list[date]] = []
    for month in sorted(months):
        if ranges and add_months(ranges[-1][-1], 1) == month:
            ranges[-1].append(month)
        else:
            ranges.append([month])
    return ", ".join(f"{one[0]:%Y-%m}" if len(one) == 1 else f"{one[0]:%Y-%m} to {one[-1]:%Y-%m}" for one in ranges)
