"""The state of each month, layer by layer: done, blocked by a check, waiting for a file.

It is computed from the stored verdicts and writes by the rules of the gate, so that it is available whatever is blocked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

from sf_assets.catalogue.tables import LAYERS, suites_of
from sf_assets.engine.quality.acceptances import Acceptance, CheckKey
from sf_assets.engine.quality.freshness import Outdated, describe_outdated, inputs_of, last_writes, outdated, spans
from sf_assets.engine.quality.verdicts import accepted_of, obstacles_of, verdicts_on
from sf_assets.engine.storage import Session, frame_of
from sf_assets.engine.storage.inputs import AssetMonth
from sf_assets.operations.reruns import rerun_command
from sf_assets.sources.batch import BadBatch, NoBatch, batch_key, is_key, missing_files, month_of, read_batch
from sf_assets.vocabulary.modes import FULL, Mode
from sf_assets.vocabulary.schema import Column, Table

STATUS = Table(
    "status",
    "one layer of the month, as of the last refresh",
    (
        Column("layer", "VARCHAR", "layer of the graph"),
        Column("state", "VARCHAR", "done, blocked, waiting, stale, held, to do, or no batch"),
        Column("assets", "INTEGER", "assets of the layer", unit="asset"),
        Column("done", "INTEGER", "assets that the gate opens for", unit="asset"),
        Column("detail", "VARCHAR", "blocking checks, assets to rerun, missing files, accepted checks"),
    ),
    key=("layer",),
)

_NAMED = 3  # causes that a cell names; it counts the others


@dataclass(frozen=True, slots=True)
class LayerStatus:
    """The state of one layer of one month; `state` is one of those of the table `status`.

    `causes` names in a few words what stops the layer: failed checks, assets to run again, or missing files; `messages` are
    whole sentences that end with what to do. `accepted` are the failed checks that an operator allowed. `starts` and `after`
    are the options of the command that runs the month again: assets to start from, and assets of which only what follows is run.
    """

    month: date
    layer: str
    state: str
    assets: int
    done: int
    causes: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
    starts: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def detail(self) -> str:
        """Causes and acceptances, in one line."""
        causes = [*self.causes[:_NAMED], *([f"{len(self.causes) - _NAMED} more"] if len(self.causes) > _NAMED else [])]
        accepted = [f"{item.asset} {item.check_name} accepted by {item.accepted_by}" for item in self.accepted]
        return "; ".join([*causes, *accepted])


def layer_statuses(session: Session, incoming: Path, months: Sequence[date], mode: Mode = FULL) -> list[LayerStatus]:
    """Return one status for each layer of each of `months`, in order; assets outside the deployment have none."""
    layers = {layer: [name for name in names if name not in session.outside] for layer, names in LAYERS.items()}
    wanted = [(asset, month) for month in months for names in layers.values() for asset in names]
    suites = suites_of(mode)
    inputs = inputs_of(session, wanted)
    verdicts = verdicts_on(session, [*inputs])
    written = last_writes(session, suites, sorted({(asset, month) for asset, month, _ in verdicts}))
    accepted = accepted_of(session, verdicts)
    stale = outdated(inputs, verdicts, accepted)
    obstacles = {
        (asset, month): list(obstacles_of(suites[asset], month, verdicts, written.get((asset, month)), accepted))
        for asset, month in wanted
    }
    known = {(asset, month) for asset, month, _ in verdicts}
    statuses: list[LayerStatus] = []
    for month in months:
        files = _missing_files(incoming, month, mode)
        above: tuple[str, ...] = tuple(f"waiting for {name}" for name in files or ())
        for layer, names in layers.items():
            held = {name: obstacles[name, month] for name in names if obstacles[name, month] or (name, month) in stale}
            refused = {
                name: [obstacle for obstacle in of_asset if _refuses(verdicts, (name, month, obstacle[0]))]
                for name, of_asset in held.items()
                if (name, month) in known
            }
            refused_here = tuple(name for name, of_asset in refused.items() if of_asset)
            own = tuple(f"{name} {check}" for name, of_asset in refused.items() for check, _ in of_asset)
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
            statuses.append(
                LayerStatus(
                    month,
                    layer,
                    state,
                    len(names),
                    len(names) - len(held),
                    causes,
                    (
                        *(f"{name}: {message}" for name, of_asset in refused.items() for _, message in of_asset),
                        *(tuple(describe_outdated(outdated_here)) if rerun else ()),
                    ),
                    _of_layer(accepted, names, month),
                    (*refused_here, *_starts(names, month, stale)),
                    tuple({item.input: None for item in outdated_here if item.month == month == item.input_month}),
                )
            )
            above = tuple(dict.fromkeys((*above, *own, *rerun)))
    return statuses


def _reruns(stale: Iterable[Outdated], month: date) -> Iterator[str]:
    """Yield one cause for each asset to run again, with its months when they differ from `month`."""
    for asset, same in groupby(sorted(stale), key=lambda item: item.asset):
        months = {item.month for item in same}
        yield f"rerun {asset}" if months == {month} else f"rerun {asset} of {spans(months)}"


def _starts(names: Sequence[str], month: date, stale: Mapping[AssetMonth, frozenset[Outdated]]) -> Iterator[str]:
    """Yield the assets of a layer that read a changed write of another month; and the first one below stale earlier months."""
    for name in names:
        causes = stale.get((name, month), ())
        if any(item.asset == name and item.month == month != item.input_month for item in causes):
            yield name
    yield from [name for name in names if any(item.month < month for item in stale.get((name, month), ()))][:1]


def _refuses(verdicts: Mapping[CheckKey, Mapping[str, object]], key: CheckKey) -> bool:
    """Return whether a check failed; a check that did not run yet has not."""
    return key in verdicts and not verdicts[key]["passed"]


def _of_layer(accepted: Mapping[CheckKey, Acceptance], names: Sequence[str], month: date) -> tuple[Acceptance, ...]:
    return tuple(item for (asset, day, _), item in accepted.items() if day == month and asset in names)


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


def _missing_files(incoming: Path, month: date, mode: Mode) -> tuple[str, ...] | None:
    """Return the expected files that the month lacks; None when no file was delivered for it."""
    try:
        return missing_files(read_batch(incoming, month, mode))
    except NoBatch:
        return None
    except BadBatch:
        return (f"a description {batch_key(month)}.json that can be read",)


def known_months(session: Session, incoming: Path) -> list[date]:
    """Return the months with delivered files or stored verdicts, in order."""
    names = {path.name.removesuffix(".json") for path in incoming.iterdir()} if incoming.is_dir() else set()
    delivered = {month_of(name) for name in names if is_key(name)}
    return sorted(delivered.union(session.months("check_verdicts")))


def record_statuses(session: Session, statuses: Sequence[LayerStatus], *, author: str) -> None:
    """Store the statuses in the table `status`, in place of those of their months."""
    rows = [{name: getattr(item, name) for name in ("month", *STATUS.column_names)} for item in statuses]
    session.replace(
        {STATUS: frame_of(STATUS, rows, with_month=True)},
        where={"month": sorted({item.month for item in statuses})},
        author=author,
        message="status",
    )


def status_page(statuses: Sequence[LayerStatus]) -> Iterator[str]:
    """Yield the lines of a Markdown page: a table of months and layers, newest first, then what to do for each month."""
    by_month: dict[date, list[LayerStatus]] = {}
    for item in statuses:
        by_month.setdefault(item.month, []).append(item)
    yield f"| month | {' | '.join(LAYERS)} |"
    yield "|---" * (len(LAYERS) + 1) + "|"
    cells = {month: " | ".join(_cell(item) for item in layers) for month, layers in by_month.items()}
    for alike, span in groupby(sorted(cells, reverse=True), key=cells.__getitem__):
        months = [*span]
        first, last = f"{months[-1]:%Y-%m}", f"{months[0]:%Y-%m}"
        yield f"| {first if first == last else f'{first} to {last}'} | {alike} |"
    for month in sorted(by_month, reverse=True):
        messages = [line for item in by_month[month] for line in item.messages]
        accepted = [acceptance for item in by_month[month] for acceptance in item.accepted]
        if messages or accepted:
            yield f"\n**{month:%Y-%m}**\n"
            yield from (f"- {line}" for line in messages)
            yield from (
                f"- {item.asset}: {item.check_name} refuses {item.unexpected_count} of {item.element_count}, accepted by "
                f"{item.accepted_by} on {item.accepted_at:%Y-%m-%d}: {item.reason}"
                for item in accepted
            )
        if messages and (command := _command(by_month[month])):
            yield f"- once corrected: `{command}`"


def _command(layers: Sequence[LayerStatus]) -> str:
    """Return the command that runs all of a month again that is refused or stale; empty for a month without files."""
    if any(item.layer == "sources" and item.state == "no batch" for item in layers):
        return ""
    starts = [name for item in layers for name in item.starts]
    return rerun_command(layers[0].month, starts=starts, after=[name for item in layers for name in item.after])


def _cell(status: LayerStatus) -> str:
    counted = f" {status.done}/{status.assets}" if status.state not in ("done", "no batch") else ""
    detail = f": {status.detail}" if status.detail else ""
    text = f"{status.state}{counted}{detail}".replace("|", "\\|")
    return f"**{text}**" if status.state in ("blocked", "waiting") else text


def as_records(statuses: Sequence[LayerStatus]) -> list[dict[str, object]]:
    """Return one record for each layer and month, for scripts."""
    return [asdict(item) | {"month": f"{item.month:%Y-%m}", "detail": item.detail} for item in statuses]
