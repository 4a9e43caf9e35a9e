"""Fitted methods on disk, in the skops format instead of pickles: models/<AAMM>/<method>/<version>/{model.skops, card.json}.

The version is a digest of the content without the snapshot of the warehouse: the same fit of the same rows has the same
version on any day, any other fit has its own folder, and nothing is overwritten.
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

from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.model.evaluation import ChosenSetting, Comparison, ReferenceRate, Thresholds
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
    """A stored method differs from its folder, its card or its declared types; it is not loaded."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The model card of a stored method.

    Attributes:
        month, method: the month that the method scores, and its name.
        features: names of the features, in order.
        thresholds: the thresholds of both levels.
        figures: figures on the test months, by name; None without test months.
        statement: why history does not support a model, in French; None when it does.
        training_months: the months that the method was fitted on.
        training: number of rows and of failing companies (`failures`) of these months.
        snapshot: the snapshot of the warehouse at which the rows were first read.
        code_version: version of the package that fitted the method.
        intended_use: the only permitted use, in French.
        scikit_learn: version of scikit-learn that fitted the method.
        reference: the failure rate that the probabilities refer to; None when scores are no probabilities.
        setting: the setting of the boosting, of which the method is or is made; None for the other methods.

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
    reference: ReferenceRate | None = None
    setting: ChosenSetting | None = None

    def to_json(self) -> str:
        """Return the card as JSON text; equal cards give the same text."""
        return json.dumps(asdict(self), default=_plain, ensure_ascii=False, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ModelCard":
        """Return the card of a text that `to_json` wrote."""
        fields = json.loads(text)
        if missing := [name for name in ("reference", "setting") if name not in fields]:
            raise UntrustedModel(
                f"card: expected {' and '.join(missing)}, found the card of an older version. Materialise model_fitted again"
            )
        fields["month"] = date.fromisoformat(fields["month"])
        fields["features"] = tuple(fields["features"])
        fields["training_months"] = tuple(date.fromisoformat(month) for month in fields["training_months"])
        fields["thresholds"] = Thresholds(**fields["thresholds"])
        if fields["reference"] is not None:
            days = {name: date.fromisoformat(fields["reference"][name]) for name in ("first", "last")}
            fields["reference"] = ReferenceRate(**fields["reference"] | days)
        if fields["setting"] is not None:
            compared = tuple(Comparison(**one) for one in fields["setting"]["compared"])
            fields["setting"] = ChosenSetting(fields["setting"]["setting"], compared)
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The folder that holds the stored methods."""

    root: Shelf

    def folder(self, month: date, method: str, version: str) -> Path:
        """Return the folder of one version."""
        return self.root.of(month) / batch_key(month) / method / version

    def versions(self, month: date, method: str) -> tuple[str, ...]:
        """Return the stored versions of a month and method, in order of their digests, which does not follow their age."""
        folder = self.folder(month, method, "")
        return (
            tuple(sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")))
            if folder.is_dir()
            else ()
        )

    def save(self, method: ScoringMethod, card: ModelCard) -> str:
        """Write a fitted method with its card, and return its version; a stored version is not written again.

        Both files appear together or not at all.

        Raises:
            UntrustedModel: the method holds a type that `load` would refuse.
            ValueError: the card names another method or other features.

        """
        import skops.io  # noqa: PLC0415 - slow to load

        if (card.method, card.features) != (method.name, tuple(method.features_)):
            raise ValueError(f"card: expected method {method.name} and its features, found {card.method}")
        content = {MODEL: canonical(skops.io.dumps(method)), CARD: card.to_json().encode()}
        _require_trusted(content[MODEL], card.method)
        version = version_of(content[MODEL], card)
        target = self.folder(card.month, card.method, version)
        if not target.is_dir():
            self._write(target, content)
        if isinstance(self.root, Shelf):
            self.root.share(card.month)
        return version

    def _write(self, target: Path, content: Mapping[str, bytes]) -> None:
        draft = make_private_folder(target.parent) / f".draft-{uuid.uuid4().hex}"
        draft.mkdir()
        try:
            for name, data in content.items():
                (draft / name).write_bytes(data)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def load(self, month: date, method: str, version: str) -> tuple[ScoringMethod, ModelCard]:
        """Return a stored method and its card.

        Raises:
            UntrustedModel: the files were altered, hold a type that the method does not declare, or were written with
                another version of scikit-learn.
            FileNotFoundError: this version is not stored.

        """
        import skops.io  # noqa: PLC0415 - slow to load

        folder = self.folder(month, method, version)
        content = {name: (folder / name).read_bytes() for name in (MODEL, CARD)}
        card = ModelCard.from_json(content[CARD].decode())
        actual = version_of(content[MODEL], card)
        if actual != version or card.to_json().encode() != content[CARD]:
            raise UntrustedModel(f"{folder}: expected content of digest {version}, found {actual}")
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
    """Return a skops archive without the parts that differ between two writes of the same object.

    These are dates of files, memory addresses, the order of arrays, and the unused bytes between the fields of a record.
    Arrays are numbered in the order of the schema, and equal arrays are written once: after loading, nothing tells whether
    two attributes shared an array or held two equal ones.
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
    """Return the bytes of an array with zeros between the fields of its records, where uninitialised memory would be stored."""
    array = np.load(io.BytesIO(data), allow_pickle=False)
    if array.dtype.names is None:
        return data
    clean = np.zeros(array.shape, array.dtype)
    for field in array.dtype.names:
        clean[field] = array[field]
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def version_of(model: bytes, card: ModelCard) -> str:
    """Return the version of a stored method: a digest of its bytes and of its card without the snapshot."""
    digest = hashlib.sha256()
    for part in (model, replace(card, snapshot=None).to_json().encode()):
        digest.update(f"{len(part)}\n".encode())
        digest.update(part)
    return digest.hexdigest()[:_VERSION_LENGTH]


def _require_trusted(archive: bytes, method: str) -> None:
    import skops.io  # noqa: PLC0415 - slow to load

    unknown = sorted(set(skops.io.get_untrusted_types(data=archive)) - set(method_named(method).trusted))
    if unknown:
        raise UntrustedModel(f"method {method}: expected only the types it declares, found {', '.join(unknown)}")


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"card: expected plain values, found {type(value).__name__}")
