"""Fitted methods on disk, as data and never as pickles: models/<AAMM>/<method>/<version>/{model.skops, card.json}.

The version is a digest of the content, the snapshot of the warehouse apart: the same fit of the same rows is the same
version on any day, another one gets its own folder, and nothing is ever overwritten.
"""

import hashlib
import io
import json
import re
import shutil
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np

from sf_assets.engine.storage.folders import private
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.methods import ScoringMethod, method_named
from sf_assets.sources.batch import batch_key

MODEL, CARD = "model.skops", "card.json"
INTENDED_USE = (
    "Repérer les entreprises fragiles pour leur proposer un accompagnement. "
    "Jamais pour contrôler, sanctionner, refuser une aide ou noter une entreprise."
)
_VERSION_LENGTH = 16
# The package itself is slow to load: only the steps that fit or score pay for it.
_SCIKIT_LEARN = installed("scikit-learn")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_IDENTITY = re.compile(r',\s*"__id__": \d+')
_ARRAY = re.compile(r'"(\d+\.npy)"')


class UntrustedModel(ValueError):
    """A stored method is not what its place and its card promise: it is not loaded."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a reader must know of a stored method.

    `figures` is None when nothing could be measured, and `statement` then says why. `training` counts rows and
    failing companies; `snapshot` is the warehouse snapshot the rows were first read from.
    """

    month: date
    method: str
    features: tuple[str, ...]
    thresholds: Thresholds
    figures: Mapping[str, Any] | None
    statement: str | None
    training_months: tuple[date, ...]
    training: Mapping[str, int]
    snapshot: int | None
    code_version: str
    intended_use: str = INTENDED_USE
    scikit_learn: str = _SCIKIT_LEARN

    def to_json(self) -> str:
        """Return the card as JSON text, the same for the same card."""
        return json.dumps(asdict(self), default=_plain, ensure_ascii=False, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Card":
        """Read a card written by `to_json`."""
        fields = json.loads(text)
        fields["month"] = date.fromisoformat(fields["month"])
        fields["features"] = tuple(fields["features"])
        fields["training_months"] = tuple(date.fromisoformat(month) for month in fields["training_months"])
        fields["thresholds"] = Thresholds(**fields["thresholds"])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The folder of stored methods."""

    root: Path

    def folder(self, month: date, method: str, version: str) -> Path:
        """Return the folder of one version."""
        return self.root / batch_key(month) / method / version

    def versions(self, month: date, method: str) -> tuple[str, ...]:
        """Return the stored versions of a month and method, in name order: names say nothing of age."""
        folder = self.folder(month, method, "")
        return (
            tuple(sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")))
            if folder.is_dir()
            else ()
        )

    def save(self, method: ScoringMethod, card: Card) -> str:
        """Write a fitted method with its card and return its version; a version already there is left as it is.

        Both files appear together or not at all. Raises `UntrustedModel` when the method holds a type that loading
        would refuse, `ValueError` when the card is another method's.
        """
        import skops.io  # noqa: PLC0415 - slow to load

        if (card.method, card.features) != (method.name, tuple(method.features)):
            raise ValueError(f"card: expected method {method.name} and its features, found {card.method}")
        content = {MODEL: canonical(skops.io.dumps(method)), CARD: card.to_json().encode()}
        _require_trusted(content[MODEL], card.method)
        version = version_of(content[MODEL], card)
        target = self.folder(card.month, card.method, version)
        if target.is_dir():
            return version
        draft = private(target.parent) / f".draft-{uuid.uuid4().hex}"
        draft.mkdir()
        try:
            for name, data in content.items():
                (draft / name).write_bytes(data)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return version

    def load(self, month: date, method: str, version: str) -> tuple[ScoringMethod, Card]:
        """Return a stored method and its card.

        Raises `UntrustedModel` when the files were altered, hold a type outside the method's list, or were written
        with another scikit-learn; `FileNotFoundError` when there is no such version.
        """
        import skops.io  # noqa: PLC0415 - slow to load

        folder = self.folder(month, method, version)
        content = {name: (folder / name).read_bytes() for name in (MODEL, CARD)}
        card = Card.from_json(content[CARD].decode())
        found = version_of(content[MODEL], card)
        if found != version or card.to_json().encode() != content[CARD]:
            raise UntrustedModel(f"{folder}: expected content of digest {version}, found {found}")
        if (card.month, card.method) != (month, method):
            raise UntrustedModel(f"{folder}: expected the card of this folder, found {card.method} of {card.month}")
        if card.scikit_learn != _SCIKIT_LEARN:
            raise UntrustedModel(
                f"{folder}: expected a method fitted with scikit-learn {_SCIKIT_LEARN}, found {card.scikit_learn}"
            )
        _require_trusted(content[MODEL], method)
        kind = method_named(method)
        loaded = skops.io.loads(content[MODEL], trusted=list(kind.trusted))
        if not isinstance(loaded, kind):
            raise UntrustedModel(f"{folder}: expected a {kind.__name__}, found a {type(loaded).__name__}")
        return loaded, card


def canonical(archive: bytes) -> bytes:
    """Return a skops archive without what changes from one writing to the next: dates, addresses, order, gaps in arrays.

    Arrays are numbered in the order in which the schema mentions them, and equal ones are written once: whether two
    attributes are one array or two equal ones is lost by reading.
    """
    numbers: dict[bytes, str] = {}
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        schema = _IDENTITY.sub("", source.read("schema.json").decode())
        arrays = {name: _without_gaps(source.read(name)) for name in dict.fromkeys(_ARRAY.findall(schema))}
    names = {name: numbers.setdefault(data, f"{len(numbers)}.npy") for name, data in arrays.items()}
    entries = {number: data for data, number in numbers.items()}
    entries["schema.json"] = _ARRAY.sub(lambda match: f'"{names[match[1]]}"', schema).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for name, data in entries.items():
            target.writestr(zipfile.ZipInfo(name, date_time=_EPOCH), data)
    return buffer.getvalue()


def _without_gaps(data: bytes) -> bytes:
    """Return the bytes of an array of records with zeros between their fields: there, memory holds what was there before."""
    array = np.load(io.BytesIO(data), allow_pickle=False)
    if array.dtype.names is None:
        return data
    clean = np.zeros(array.shape, array.dtype)
    for field in array.dtype.names:
        clean[field] = array[field]
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def version_of(model: bytes, card: Card) -> str:
    """Return the version of a stored method: the same for the same bytes and card, read from whichever snapshot."""
    whole = hashlib.sha256()
    for part in (model, replace(card, snapshot=None).to_json().encode()):
        whole.update(f"{len(part)}\n".encode())
        whole.update(part)
    return whole.hexdigest()[:_VERSION_LENGTH]


def _require_trusted(archive: bytes, method: str) -> None:
    import skops.io  # noqa: PLC0415 - slow to load

    unknown = sorted(set(skops.io.get_untrusted_types(data=archive)) - set(method_named(method).trusted))
    if unknown:
        raise UntrustedModel(f"method {method}: expected only the types it declares, found {', '.join(unknown)}")


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"card: expected plain values, found {type(value).__name__}")
