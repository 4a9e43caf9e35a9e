"""Freshness: whether an asset was computed from the last write of its inputs.

Each write records the assets and months it read, with the snapshot that wrote each (`storage/inputs.py`). An asset is stale
when one of its inputs was written again since and passed its checks, or when an input is itself stale. A newer write that
was refused, or whose checks did not run yet, makes nothing stale.

Three cases are not stale. An input is compared in the month that was read, so that a yearly file still in use, or a past
month computed from a later batch, stays fresh. Equal rows written again keep their snapshot, and so do merged files. Writes
made before inputs were recorded have no known inputs.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sf_assets.engine.quality.acceptances import CheckKey
from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.content import scope_condition
from sf_assets.engine.storage.inputs import ASSET_INPUTS, AssetMonth
from sf_assets.vocabulary.partitions import add_months

# The inputs of each asset and month, with the snapshot that had written each of them.
Inputs = Mapping[AssetMonth, Mapping[AssetMonth, int | None]]


@dataclass(frozen=True, slots=True, order=True)
class Outdated:
    """One asset and month to run again: it read `input` of `input_month` before the last write of it."""

    asset: str
    input: str
    input_month: date
    month: date


def inputs_of(session: Session, reads: Iterable[AssetMonth]) -> dict[AssetMonth, dict[AssetMonth, int | None]]:
    """Return the inputs of each asset and month of `reads`, the inputs of these, and so on back to the files."""
    session.bind({ASSET_INPUTS: None})
    stored: dict[AssetMonth, dict[AssetMonth, int | None]] = {}
    inputs: dict[AssetMonth, dict[AssetMonth, int | None]] = {}
    loaded: set[date] = set()
    todo = set(reads)
    while todo:
        if months := {month for _, month in todo} - loaded:
            loaded |= months
            rows = session.connection.execute(
                "select asset, month, input, input_month, snapshot from asset_inputs "
                f"where {scope_condition({'month': sorted(months)})}"
            )
            for asset, month, name, day, snapshot in rows.fetchall():
                stored.setdefault((asset, month), {})[name, day] = snapshot
        inputs |= {read: stored.get(read, {}) for read in todo}
        todo = {name for read in todo for name in inputs[read]} - inputs.keys()
    return inputs


def outdated(
    inputs: Inputs, verdicts: Mapping[CheckKey, Mapping[str, Any]], accepted: Collection[CheckKey]
) -> dict[AssetMonth, frozenset[Outdated]]:
    """Return, for each stale asset and month of `inputs`, the assets and months to run again.

    `verdicts` and `accepted` cover all of them.
    """
    passed = _passed(verdicts, accepted)
    causes: dict[AssetMonth, frozenset[Outdated]] = {}

    def cause(read: AssetMonth) -> frozenset[Outdated]:
        if read not in causes:
            own = {
                Outdated(read[0], *source, read[1])
                for source, snapshot in inputs[read].items()
                if source in passed and passed[source] != snapshot
            }
            causes[read] = frozenset(own).union(*(cause(source) for source in inputs[read]))
        return causes[read]

    return {read: stale for read in inputs if (stale := cause(read))}


def _passed(
    verdicts: Mapping[CheckKey, Mapping[str, Any]], accepted: Collection[CheckKey]
) -> dict[AssetMonth, int | None]:
    """Return, for each checked asset and month that passed its blocking checks, the snapshot of that write."""
    blocking = {key: verdict for key, verdict in verdicts.items() if verdict["severity"] == "error"}
    refused = {key[:2] for key, verdict in blocking.items() if not verdict["passed"] and key not in accepted}
    return {
        (asset, month): verdict["snapshot"]
        for (asset, month, _), verdict in blocking.items()
        if (asset, month) not in refused
    }


def describe_outdated(outdated: Iterable[Outdated]) -> Iterator[str]:
    """Yield one line for each asset to run again and input that changed, with the months concerned."""
    for (asset, name, day), same in groupby(
        sorted(outdated), key=lambda item: (item.asset, item.input, item.input_month)
    ):
        yield (
            f"{asset}, {spans(item.month for item in same)}: stale, {name} of {day:%Y-%m} was written again since and passed "
            f"its checks. Rerun {asset}, then what follows it."
        )


def spans(months: Iterable[date]) -> str:
    """Return months in words, consecutive ones as a range.

    >>> spans([date(2026, 5, 1), date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)])
    '2026-01 to 2026-03, 2026-05'
    """
    ranges: list[list[date]] = []
    for month in sorted(months):
        if ranges and add_months(ranges[-1][-1], 1) == month:
            ranges[-1].append(month)
        else:
            ranges.append([month])
    return ", ".join(
        f"{span[0]:%Y-%m}" if len(span) == 1 else f"{span[0]:%Y-%m} to {span[-1]:%Y-%m}" for span in ranges
    )


def last_writes(session: Session, suites: Mapping[str, Suite], reads: Sequence[AssetMonth]) -> dict[AssetMonth, int]:
    """Return the snapshot that last wrote the rows of each asset and month; months without a row are left out.

    It is read from the rows (DuckLake's column `snapshot_id`), so that no second record can disagree with them. Merging
    files preserves it; `ducklake_rewrite_data_files` does not, and makes the verdicts on rewritten rows void
    (findings/ducklake_rewrite_in_change_feed.sh).
    """
    months: dict[str, list[date]] = {}
    for asset, month in reads:
        months.setdefault(asset, []).append(month)
    queries = [
        f"select '{asset}', month, max(snapshot_id) from {session.source_of(table.name, wanted)}"
        f" where {scope_condition({'month': wanted} | {name: [value] for name, value in suites[asset].scope.items()})}"
        " group by month"
        for asset, wanted in months.items()
        if (table := suites[asset].table) is not None
    ]
    if not queries:
        return {}
    rows = session.connection.execute(" union all ".join(queries)).fetchall()
    return {(asset, month): snapshot for asset, month, snapshot in rows}
