"""Where each month stands, layer by layer: done, blocked by which check, waiting for which file.

What stands here is worked out from the verdicts and the writes themselves, with the eyes of the gate: it is there
whatever is blocked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

from sf_assets.catalogue.tables import LAYERS, SUITES
from sf_assets.engine.quality.acceptances import Acceptance, CheckKey
from sf_assets.engine.quality.freshness import Outdated, inputs_of, outdated, said, spans
from sf_assets.engine.quality.verdicts import accepted_of, last_writes, obstacles_of, verdicts_on
from sf_assets.engine.storage import Session, frame_of
from sf_assets.sources.batch import BadBatch, NoBatch, batch_key, is_key, missing_files, month_of, read_batch
from sf_assets.vocabulary.schema import Column, Table

STATUS = Table(
    "status",
    "one layer of the month, as it stood when it was last looked at",
    (
        Column("layer", "VARCHAR", "layer of the graph"),
        Column("state", "VARCHAR", "done, blocked, waiting, stale, held, to do, or no batch"),
        Column("assets", "INTEGER", "assets of the layer", unit="asset"),
        Column("done", "INTEGER", "assets that the gate lets be read", unit="asset"),
        Column("detail", "VARCHAR", "which check blocks, what to rerun, which file is waited for, what was accepted"),
    ),
    key=("layer",),
)

_SHOWN = 3  # obstacles that a cell names before it only counts them


@dataclass(frozen=True, slots=True)
class Standing:
    """One layer of one month: `state` is one of `STATUS`, `told` says in full what stops it and what to do.

    `causes` names in a word or two what stops it: checks that refuse, assets to run again, or files that are not there.
    `accepted` are the refusals that an operator took upon themself.
    """

    month: date
    layer: str
    state: str
    assets: int
    done: int
    causes: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    accepted: tuple[Acceptance, ...] = ()

    @property
    def detail(self) -> str:
        """Causes and acceptances, in one line."""
        causes = [*self.causes[:_SHOWN], *([f"{len(self.causes) - _SHOWN} more"] if len(self.causes) > _SHOWN else [])]
        accepted = [f"{one.asset} {one.check_name} accepted by {one.accepted_by}" for one in self.accepted]
        return "; ".join([*causes, *accepted])


def standings(session: Session, incoming: Path, months: Sequence[date]) -> list[Standing]:
    """Return the standing of every layer of each of some months."""
    judged = [(asset, month) for month in months for names in LAYERS.values() for asset in names]
    inputs = inputs_of(session, judged)
    verdicts = verdicts_on(session, [*inputs])
    written = last_writes(session, SUITES, sorted({(asset, month) for asset, month, _ in verdicts}))
    accepted = accepted_of(session, verdicts)
    stale = outdated(inputs, verdicts, accepted)
    obstacles = {
        (asset, month): list(obstacles_of(SUITES[asset], month, verdicts, written.get((asset, month)), accepted))
        for asset, month in judged
    }
    known = {(asset, month) for asset, month, _ in verdicts}
    found: list[Standing] = []
    for month in months:
        files = _waited_for(incoming, month)
        above: tuple[str, ...] = tuple(f"waiting for {name}" for name in files or ())
        for layer, names in LAYERS.items():
            held = {name: obstacles[name, month] for name in names if obstacles[name, month] or (name, month) in stale}
            refused = {
                name: [obstacle for obstacle in found_there if _refuses(verdicts, (name, month, obstacle[0]))]
                for name, found_there in held.items()
                if (name, month) in known
            }
            own = tuple(f"{name} {check}" for name, there in refused.items() for check, _ in there)
            outdated_here = frozenset[Outdated]().union(*(stale.get((name, month), ()) for name in names))
            rerun = tuple(cause for cause in _reruns(outdated_here, month) if cause not in above)
            state, causes = _state(
                layer,
                done=not held,
                own=own,
                rerun=rerun,
                above=above,
                batch=files is not None,
                begun=any((n, month) in known for n in names),
            )
            found.append(
                Standing(
                    month,
                    layer,
                    state,
                    len(names),
                    len(names) - len(held),
                    causes,
                    (
                        *(f"{name}: {told}" for name, there in refused.items() for _, told in there),
                        *(tuple(said(outdated_here)) if rerun else ()),
                    ),
                    _of_layer(accepted, names, month),
                )
            )
            above = tuple(dict.fromkeys((*above, *own, *rerun)))
    return found


def _reruns(found: Iterable[Outdated], month: date) -> Iterator[str]:
    """Yield what to run again, in a word or two."""
    for asset, same in groupby(sorted(found), key=lambda one: one.asset):
        months = {one.month for one in same}
        yield f"rerun {asset}" if months == {month} else f"rerun {asset} of {spans(months)}"


def _refuses(verdicts: Mapping[CheckKey, Mapping[str, object]], judged: CheckKey) -> bool:
    """Tell a check that stands against its month from one that has nothing to say yet."""
    return judged in verdicts and not verdicts[judged]["passed"]


def _of_layer(accepted: Mapping[CheckKey, Acceptance], names: Sequence[str], month: date) -> tuple[Acceptance, ...]:
    return tuple(one for (asset, day, _), one in accepted.items() if day == month and asset in names)


def _state(
    layer: str,
    *,
    done: bool,
    own: tuple[str, ...],
    rerun: tuple[str, ...],
    above: tuple[str, ...],
    batch: bool,
    begun: bool,
) -> tuple[str, tuple[str, ...]]:
    waiting = tuple(cause for cause in above if cause.startswith("waiting for "))
    if done:
        return "done", ()
    if layer == "sources" and waiting:
        return "waiting", (*waiting, *(cause for cause in own if not cause.endswith(" delivered")))
    if own:
        return "blocked", (*own, *rerun)
    if rerun:
        return "stale", rerun
    if not batch and not begun:
        return "no batch", ()
    return ("held", above) if above else ("to do", ())


def _waited_for(incoming: Path, month: date) -> tuple[str, ...] | None:
    """Return the files that the month waits for; None when nothing was delivered for it."""
    try:
        return missing_files(read_batch(incoming, month))
    except NoBatch:
        return None
    except BadBatch:
        return (f"a description {batch_key(month)}.json that can be read",)


def months_with_something(session: Session, incoming: Path) -> list[date]:
    """Return the months that were delivered or judged, in order."""
    names = {path.name.removesuffix(".json") for path in incoming.iterdir()} if incoming.is_dir() else set()
    delivered = {month_of(name) for name in names if is_key(name)}
    return sorted(delivered.union(session.months("check_verdicts")))


def record(session: Session, found: Sequence[Standing], *, author: str) -> None:
    """Replace what is known of these months in the table `status`."""
    rows = [{name: getattr(one, name) for name in ("month", *STATUS.column_names)} for one in found]
    session.replace(
        {STATUS: frame_of(STATUS, rows, with_month=True)},
        where={"month": sorted({one.month for one in found})},
        author=author,
        message="status",
    )


def page(found: Sequence[Standing]) -> Iterator[str]:
    """Yield the lines of a Markdown page: a table of months and layers, newest first, then what to do about each."""
    by_month: dict[date, list[Standing]] = {}
    for one in found:
        by_month.setdefault(one.month, []).append(one)
    yield f"| month | {' | '.join(LAYERS)} |"
    yield "|---" * (len(LAYERS) + 1) + "|"
    cells = {month: " | ".join(_cell(one) for one in there) for month, there in by_month.items()}
    for alike, span in groupby(sorted(cells, reverse=True), key=cells.__getitem__):
        months = [*span]
        first, last = f"{months[-1]:%Y-%m}", f"{months[0]:%Y-%m}"
        yield f"| {first if first == last else f'{first} to {last}'} | {alike} |"
    for month in sorted(by_month, reverse=True):
        told = [line for one in by_month[month] for line in one.told]
        accepted = [one for standing in by_month[month] for one in standing.accepted]
        if told or accepted:
            yield f"\n**{month:%Y-%m}**\n"
            yield from (f"- {line}" for line in told)
            yield from (
                f"- {one.asset}: {one.check_name} refuses {one.unexpected_count} of {one.element_count}, accepted by "
                f"{one.accepted_by} on {one.accepted_at:%Y-%m-%d}: {one.reason}"
                for one in accepted
            )


def _cell(one: Standing) -> str:
    counted = f" {one.done}/{one.assets}" if one.state not in ("done", "no batch") else ""
    detail = f": {one.detail}" if one.detail else ""
    text = f"{one.state}{counted}{detail}".replace("|", "\\|")
    return f"**{text}**" if one.state in ("blocked", "waiting") else text


def as_records(found: Sequence[Standing]) -> list[dict[str, object]]:
    """Return where months stand as records, for scripts."""
    return [asdict(one) | {"month": f"{one.month:%Y-%m}", "detail": one.detail} for one in found]
