"""A batch: the files of one month, each with the source it belongs to.

A description beside the month's folder, when there is one, lists the files of each source (`manifest`). Otherwise the file
names decide (rules §1.3): exact names first, then any name containing `effectif_`, then any name starting with `filter`.
Names are compared with case; `.gz` and `.zip` are recognised for every name. Label tables are files of a batch too, under
the names of their tables or those of their producers.
"""

import os
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sf_assets.engine.storage.packed import plain_name
from sf_assets.sources.copies import is_copy_of_another, separate_copies
from sf_assets.sources.corrections import CORRECTIONS, corrects
from sf_assets.sources.description import Source
from sf_assets.sources.manifest import BadManifest, read_manifest
from sf_assets.sources.nomenclatures.editions import table_of
from sf_assets.sources.nomenclatures.label_tables import TABLES as NOMENCLATURES
from sf_assets.sources.registry import BY_NAME, SOURCES, sources_in
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.modes import FULL, Mode

_KEY_LENGTH = 4
# Prefix of the lock file that a spreadsheet writes beside a file that is open.
_LOCK_PREFIX = "~$"
_LABELS = {table.name for table in NOMENCLATURES}


class BadBatch(UserError):
    """The batch is missing, or its description or a correction is wrong: no asset of the month can run."""


class NoBatch(BadBatch):
    """The month has neither a folder nor a description."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The files of one month, by the name of their source or label table.

    Files are in the order of their names, or of the description, which may name missing files; corrections come last.
    `unsupported` lists the names that belong to no source, and the copies. `doubtful` gives the reason for refusal of each
    file whose name is ambiguous.
    """

    month: date
    folder: Path
    files: dict[str, tuple[Path, ...]]
    unsupported: tuple[str, ...]
    doubtful: dict[Path, str] = field(default_factory=dict)
    mode: Mode = FULL

    def name_of(self, path: Path) -> str:
        """Return the name of a file in tables and messages: its file name, or its path below the folder of batches.

        The path keeps apart files of the same name in two folders.
        """
        if path.parent == self.folder:
            return path.name
        incoming = self.folder.parent
        return path.relative_to(incoming).as_posix() if path.is_relative_to(incoming) else path.as_posix()

    def corrections(self, source: str) -> dict[Path, Path]:
        """Return the files of corrections of a source, each with the file it corrects."""
        paths = self.files.get(source, ())
        corrections = [path for path in paths if path.parent == self.folder / CORRECTIONS]
        return {
            correction: path
            for correction in corrections
            for path in paths
            if path not in corrections and corrects(correction, path)
        }


def batch_key(month: date) -> str:
    """Return the batch key of a month.

    >>> batch_key(date(2026, 3, 1))
    '2603'
    """
    return f"{month:%y%m}"


def is_key(name: str) -> bool:
    """Tell whether a name is a batch key.

    >>> is_key("2603"), is_key("2613"), is_key("mars")
    (True, False, False)
    """
    return len(name) == _KEY_LENGTH and name.isascii() and name.isdigit() and "01" <= name[2:] <= "12"


def month_of(key: str) -> date:
    """Return the first day of the month of a batch key.

    Raises:
        BadBatch: the key is not four digits AAMM.

    >>> month_of("2603")
    datetime.date(2026, 3, 1)

    """
    if not is_key(key):
        raise BadBatch(f"batch key: expected four digits AAMM with a month between 01 and 12, found {key!r}")
    return date(2000 + int(key[:2]), int(key[2:]), 1)


def source_of(name: str) -> Source | None:
    """Return the source a file name belongs to, or None.

    >>> source_of("sigfaible_debits.csv.gz").name
    'debit'
    >>> source_of("my_effectif_siren_2024.csv").name, source_of("filter_2603.csv").name
    ('effectif', 'filter')
    >>> source_of("sigfaibles_debits.csv"), source_of("effectif_2610.csv.part"), source_of("~$effectif_2610.csv")
    (None, None, None)
    """
    plain = plain_name(name)
    for claim in (Source.names_exactly, Source.matches):
        for source in SOURCES:
            if claim(source, plain) and not name.startswith(_LOCK_PREFIX):
                return None if claim is Source.matches and is_copy_of_another(name, source, SOURCES) else source
    return None


def read_batch(incoming: Path, month: date, mode: Mode = FULL) -> Batch:
    """List the files of a month by source: those of its description `<AAMM>.json`, otherwise of its folder `<AAMM>`.

    Hidden files, and sub-folders other than `corrections`, are ignored. Files of sources outside the mode are unsupported.

    Raises:
        NoBatch: there is neither a description nor a folder.
        BadBatch: the description is wrong, or a correction may belong to several files.

    """
    folder = incoming / batch_key(month)
    description = folder.with_suffix(".json")
    doubtful: dict[Path, str] = {}
    if description.is_file():
        files, unsupported = _described(description)
    elif folder.is_dir():
        files, unsupported = _named(_listed(folder))
        for source in (BY_NAME[name] for name in [*files] if name in BY_NAME and BY_NAME[name].rejects_copies):
            files[source.name], copies, refused = separate_copies(source, files[source.name], month)
            unsupported += [path.name for path in copies]
            doubtful |= refused
    else:
        raise NoBatch(f"batch {batch_key(month)}: expected a folder {folder}, found none")
    unsupported += _leave_out(files, mode)
    for path in _listed(folder / CORRECTIONS):
        owner = _corrected_source(path, files)
        if owner is None:
            unsupported.append(f"{CORRECTIONS}/{path.name}")
        else:
            files[owner].append(path)
    return Batch(
        month, folder, {name: tuple(paths) for name, paths in files.items()}, tuple(unsupported), doubtful, mode
    )


def expected_in(mode: Mode = FULL) -> tuple[str, ...]:
    """Return the names of the sources that are delivered every month in a mode."""
    return tuple(source.name for source in sources_in(mode) if source.expected)


def missing_files(batch: Batch) -> tuple[str, ...]:
    """Return the sources expected every month that have no file yet, and the missing files of the description."""
    described = (path for paths in batch.files.values() for path in paths if not path.is_file())
    return (
        *(name for name in expected_in(batch.mode) if name not in batch.files),
        *(batch.name_of(path) for path in described),
    )


def _leave_out(files: dict[str, list[Path]], mode: Mode) -> list[str]:
    """Take the sources outside a mode out of `files`, and return the names of their files; add the files that sources share."""
    inside = {source.name: source for source in sources_in(mode)}
    left_out = [files.pop(name) for name in [*files] if name in BY_NAME and name not in inside]
    for name, source in inside.items():
        if source.shares in files:
            files[name] = [*files[source.shares], *files.get(name, ())]
    return [path.name for paths in left_out for path in paths]


def _listed(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _named(paths: list[Path]) -> tuple[dict[str, list[Path]], list[str]]:
    files: dict[str, list[Path]] = {}
    unsupported = []
    for path in paths:
        label = _label_of(path.name)
        source = source_of(path.name)
        if label:
            files.setdefault(label, []).append(path)
        elif source is None:
            unsupported.append(path.name)
        else:
            files.setdefault(source.name, []).append(path)
    return files, unsupported


def _label_of(name: str) -> str | None:
    """Return the label table of a file name, in this project's naming or its producer's; None for other files."""
    plain = plain_name(name)
    label = plain.removesuffix(".csv")
    return label if label in _LABELS and plain == f"{label}.csv" else table_of(plain)


def _described(description: Path) -> tuple[dict[str, list[Path]], list[str]]:
    """Return the files of a description by source, and its types that are no source. Paths are relative to its folder."""
    try:
        listed = read_manifest(description)
    except BadManifest as error:
        raise BadBatch(str(error)) from None
    known = {name: paths for name, paths in listed.items() if name in BY_NAME or name in _LABELS}
    files = {
        name: [_inside(description, f"files.{name}[{number}]", path) for number, path in enumerate(paths)]
        for name, paths in known.items()
    }
    return files, [name for name in listed if name not in known]


def _inside(description: Path, place: str, name: str) -> Path:
    """Return the file that a description names; refuse one outside the folder of batches, symbolic links included."""
    incoming = description.parent
    path = Path(os.path.normpath(incoming / name))
    if not path.is_relative_to(incoming) or not path.resolve().is_relative_to(incoming.resolve()):
        raise BadBatch(
            f"{description.name}, {place}: expected a path below {incoming.name}, the folder of batches, found "
            f"{name[:100]!r}, which leaves it. Put the file there"
        )
    return path


def _corrected_source(correction: Path, files: dict[str, list[Path]]) -> str | None:
    """Return the source whose file a correction is for, None when no file has that name."""
    owners = [name for name, paths in files.items() for path in paths if corrects(correction, path)]
    if len(owners) > 1:
        raise BadBatch(f"{CORRECTIONS}/{correction.name}: expected one file of that name, found {len(owners)}")
    return owners[0] if owners else None
