"""The checks of delivered files, which must pass before any asset reads them."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from importlib.resources import files

from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.engine.quality.tolerance_checks import probes_of
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.packed import plain_name
from sf_assets.sources.arrival import ARRIVALS
from sf_assets.sources.corrections import CORRECTIONS
from sf_assets.sources.description import Source
from sf_assets.sources.registry import SOURCES
from sf_assets.sources.tolerances import FEW_EVENTS, FEW_LINES, REGISTER, TOLERANCES

_DELIVERED_BEFORE = files("sf_assets.sources").joinpath("delivered_before.sql").read_text(encoding="utf-8")


_SHOWN = 5  # files that a check names before it only counts them


_COPIES = """
    select
        count(*) - least(count(distinct regexp_replace(file, $packed, '')), count(distinct sha256)), count(*)
    from lake.src_arrivals where month = $month and source = $source
"""


def _in_words(faults: Sequence[str]) -> str:
    """Return the faults of files as the statement of a check; empty without one."""
    more = [f"{len(faults) - _SHOWN} more files"] if len(faults) > _SHOWN else []
    return "; ".join([*(fault.rstrip(".") for fault in faults[:_SHOWN]), *more]) + ("." if faults else "")


def _arrivals(session: Session, month: date, source: str) -> list[tuple[str, str | None]]:
    query = "select file, fault from lake.src_arrivals where month = $month and source = $source order by file"
    values = {"month": month, "source": source}
    return session.connection.execute(session.on_copies(query, [month]), values).fetchall()


def _copies(session: Session, month: date, source: str) -> str:
    """Return the names of the files that have the bytes, or the name without packing, of another one."""
    query = "select file, sha256 from lake.src_arrivals where month = $month and source = $source order by file"
    rows = session.connection.execute(session.on_copies(query, [month]), {"month": month, "source": source}).fetchall()
    marks = Counter(mark for file, checksum in rows for mark in (plain_name(file), checksum))
    return " and ".join(file for file, checksum in rows if max(marks[plain_name(file)], marks[checksum]) > 1)


def _delivered(source: Source) -> Probe:
    def check(session: Session, month: date) -> Outcome:
        files = _arrivals(session, month, source.name)
        statement = "" if files else f"the batch: expected {names}, found no file."
        return Outcome(passed=bool(files), unexpected_count=int(not files), element_count=1, statement=statement)

    names = " or ".join(source.names)
    return Probe(
        "delivered",
        check,
        f"the batch holds {names}",
        f"Ask {source.producer} for the file, put it into the batch's folder, then run src_{source.name} and what follows it.",
    )


def _delivered_once(source: Source) -> Probe:
    def check(session: Session, month: date) -> Outcome:
        values = {"month": month, "source": source.name, "packed": "([.]csv)?([.](gz|zip))?$"}
        (twice, files), *_ = session.connection.execute(session.on_copies(_COPIES, [month]), values).fetchall()
        statement = (
            f"the batch: expected each file once, found {_copies(session, month, source.name)}." if twice else ""
        )
        return Outcome(passed=twice == 0, unexpected_count=twice, element_count=files, statement=statement)

    return Probe(
        "delivered_once",
        check,
        "several files complete one another: none is a copy of another one, compressed or not",
        "The records of a copy would be counted twice. Take the copy out of the folder, then run "
        f"src_{source.name} and what follows it.",
    )


def _one_file(source: Source) -> Probe:
    def check(session: Session, month: date) -> Outcome:
        files = [file for file, _ in _arrivals(session, month, source.name) if f"/{CORRECTIONS}/" not in file]
        statement = f"the batch: expected one file, found {', '.join(files)}." if len(files) > 1 else ""
        return Outcome(len(files) <= 1, max(len(files) - 1, 0), len(files), statement=statement)

    return Probe(
        "one_file",
        check,
        "at most one file is delivered, which holds the whole source",
        f"Every file of {source.producer} is complete: leave only one in the folder, then run src_{source.name} and what "
        "follows it.",
    )


def _as_promised(source: Source) -> Probe:
    def check(session: Session, month: date) -> Outcome:
        files = _arrivals(session, month, source.name)
        faults = [{"file": file, "fault": fault} for file, fault in files if fault]
        return Outcome(
            passed=not faults,
            unexpected_count=len(faults),
            element_count=len(files),
            sample=tuple(faults[:_SHOWN]),
            statement=_in_words([fault for _, fault in files if fault]),
        )

    return Probe(
        "as_promised",
        check,
        "every file is complete, in UTF-8, with the declared columns",
        "Rows loaded from an earlier delivery stay. Ask for the file again.",
    )


def _new(source: Source, *, small: bool) -> Probe:
    """Return the probe for files already delivered in an earlier month: large ones block, `small` ones are a note."""
    few = FEW_LINES if source.name in REGISTER else FEW_EVENTS

    def check(session: Session, month: date) -> Outcome:
        rows = session.connection.execute(
            _DELIVERED_BEFORE, {"month": month, "source": source.name, "few": few, "small": small}
        ).fetchall()
        old = [{"file": file, "delivered_in": earlier} for file, earlier in rows if earlier]
        return Outcome(
            passed=not old,
            unexpected_count=len(old),
            element_count=len(rows),
            sample=tuple(old),
            statement=_in_words([f"{one['file']}: its records were delivered in {one['delivered_in']}" for one in old]),
        )

    advice = f"The file of another month was delivered again: ask {source.producer} for this month's."
    size = f"at most {few:,}" if small else f"more than {few:,}"
    return Probe(
        "small_and_new" if small else "new",
        check,
        f"no file of {size} lines has the content of a file of an earlier month, whatever its packing or line ends",
        f"{advice} A small file may really be unchanged: compare it with last month's." if small else advice,
        severity="warning" if small else "error",
    )


def suite_of_source(source: Source) -> Suite:
    """Return the probes of one source's files."""
    asset = f"src_{source.name}"
    probes = (
        *((_delivered(source),) if source.expected else ()),
        _delivered_once(source),
        *((_one_file(source),) if source.exclusive else ()),
        _as_promised(source),
        *((_new(source, small=False), _new(source, small=True)) if source.expected else ()),
        *probes_of(asset, ARRIVALS, TOLERANCES, source=source.name),
    )
    return Suite(asset, ARRIVALS, probes=probes, scope={"source": source.name})


SUITES = {f"src_{source.name}": suite_of_source(source) for source in SOURCES}
