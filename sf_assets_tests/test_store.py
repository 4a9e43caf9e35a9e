"""Fitted methods on disk: written whole, versioned by content, and loaded only when content and types are as declared."""

import io
import json
import zipfile
from datetime import date

import numpy as np
import pytest
import skops.io
from drawn import fitted, later, simulated, small
from sklearn.preprocessing import StandardScaler

from sf_assets.engine.storage.shelves import Shelf
from sf_assets.features.registry import NAMES
from sf_assets.model import store as store_module
from sf_assets.model.evaluation import ChosenSetting, Comparison, ReferenceRate, Thresholds
from sf_assets.model.logistic import LogisticMethod
from sf_assets.model.methods import METHODS, score
from sf_assets.model.store import ModelCard, ModelStore, UntrustedModel, canonical

MONTH = date(2026, 10, 1)


def card(method, **changes) -> ModelCard:
    fields = {
        "month": MONTH,
        "method": method.name,
        "features": method.features_,
        "thresholds": Thresholds(0.04, 0.12),
        "figures": {"roc_auc": 0.8},
        "statement": None,
        "training_months": (date(2016, 1, 1), date(2016, 2, 1)),
        "training": {"rows": 20_000, "failures": 300},
        "snapshot": 12,
        "code_version": "0.1.0",
    }
    return ModelCard(**fields | changes)


@pytest.mark.parametrize("name", METHODS)
def test_a_stored_method_comes_back_with_its_card_and_the_same_scores(name, tmp_path):
    rows, _ = later()
    method = fitted(name)
    store = ModelStore(Shelf(tmp_path))
    compared = (Comparison({"leaves": 8}, 0.09, -0.001, 0.002), Comparison({}, 0.091, 0.0, 0.0))
    written = card(method, setting=ChosenSetting({}, compared))
    version = store.save(method, written)
    loaded, read = store.load(MONTH, name, version)
    assert np.array_equal(score(loaded, rows), score(method, rows))
    assert np.array_equal(loaded.contributions(rows[:20]), method.contributions(rows[:20]))
    assert read == written
    folder = tmp_path / "2610" / name / version
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "model.skops"]
    assert "Jamais pour contrôler" in json.loads((folder / "card.json").read_text(encoding="utf-8"))["intended_use"]


@pytest.mark.parametrize("name", METHODS)
def test_the_same_fit_is_the_same_version(name, tmp_path):
    store = ModelStore(Shelf(tmp_path))
    version = store.save(fitted(name), card(fitted(name)))
    again = small(name).fit(*simulated(20_000, seed=1))
    assert store.save(again, card(again)) == version


def test_the_same_fit_of_rows_read_later_is_the_same_version(tmp_path):
    store = ModelStore(Shelf(tmp_path))
    learned = fitted("logistique")
    version = store.save(learned, card(learned))
    assert store.save(learned, card(learned, snapshot=13)) == version
    assert store.load(MONTH, "logistique", version)[1].snapshot == 12


def test_another_fit_and_another_card_get_their_own_version(tmp_path):
    store = ModelStore(Shelf(tmp_path))
    learned = fitted("logistique")
    version = store.save(learned, card(learned))
    other = LogisticMethod(NAMES, C=1.0).fit(*simulated(20_000, seed=1))
    changed = {store.save(other, card(other)), store.save(learned, card(learned, thresholds=Thresholds(0.04, 0.13)))}
    assert len(changed) == 2
    assert set(store.versions(MONTH, "logistique")) == {version, *changed}
    assert store.versions(MONTH, "seuils") == ()


@pytest.mark.parametrize("name", METHODS)
def test_a_loaded_method_is_stored_again_as_the_same_version(name, tmp_path):
    store = ModelStore(Shelf(tmp_path))
    version = store.save(fitted(name), card(fitted(name)))
    loaded, read = store.load(MONTH, name, version)
    assert store.save(loaded, read) == version


def test_a_failure_while_writing_leaves_nothing(tmp_path, monkeypatch):
    learned = fitted("logistique")

    def full(self, target):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.rename", full)
    with pytest.raises(OSError, match="disk full"):
        ModelStore(Shelf(tmp_path)).save(learned, card(learned))
    assert list((tmp_path / "2610" / "logistique").iterdir()) == []


def test_an_altered_file_is_not_loaded(tmp_path):
    learned = fitted("logistique")
    store = ModelStore(Shelf(tmp_path))
    version = store.save(learned, card(learned))
    path = tmp_path / "2610" / "logistique" / version / "card.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0.12", "0.99"), encoding="utf-8")
    with pytest.raises(UntrustedModel, match=f"expected content of digest {version}"):
        store.load(MONTH, "logistique", version)


def test_a_card_of_an_older_version_is_refused(tmp_path):
    learned = fitted("logistique")
    store = ModelStore(Shelf(tmp_path))
    version = store.save(learned, card(learned, reference=ReferenceRate(MONTH, MONTH, 0.02, 0.1, -0.1, 0.3)))
    assert store.load(MONTH, "logistique", version)[1].reference.rate == 0.02
    path = tmp_path / "2610" / "logistique" / version / "card.json"
    fields = json.loads(path.read_text(encoding="utf-8"))
    del fields["setting"]
    path.write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(UntrustedModel, match="card: expected setting, found the card of an older version"):
        store.load(MONTH, "logistique", version)


class UndeclaredType:
    """A type no method declares."""


def test_a_type_that_is_not_declared_is_neither_stored_nor_loaded(tmp_path):
    store = ModelStore(Shelf(tmp_path))
    strange = LogisticMethod(draws=1).fit(*simulated(2_000, seed=1))
    strange.pipeline_.steps[0] = ("tame", UndeclaredType())
    with pytest.raises(UntrustedModel, match="UndeclaredType"):
        store.save(strange, card(strange))
    with pytest.raises(UntrustedModel, match="UndeclaredType"):
        store.load(MONTH, "logistique", write_unchecked(tmp_path, strange, card(strange)))


def test_another_object_than_the_method_is_refused(tmp_path):
    learned = fitted("logistique")
    version = write_unchecked(tmp_path, StandardScaler(), card(learned))
    with pytest.raises(UntrustedModel, match="expected a LogisticMethod, found a StandardScaler"):
        ModelStore(Shelf(tmp_path)).load(MONTH, "logistique", version)


def test_a_method_fitted_with_another_scikit_learn_is_refused(tmp_path):
    learned = fitted("logistique")
    version = write_unchecked(tmp_path, learned, card(learned, scikit_learn="0.1"))
    with pytest.raises(UntrustedModel, match=r"found 0\.1"):
        ModelStore(Shelf(tmp_path)).load(MONTH, "logistique", version)


def test_a_card_of_another_method_is_refused(tmp_path):
    learned = fitted("logistique")
    with pytest.raises(ValueError, match="expected method logistique"):
        ModelStore(Shelf(tmp_path)).save(learned, card(fitted("seuils")))


def test_a_stored_archive_carries_neither_clock_nor_memory_address():
    learned = fitted("logistique")
    with zipfile.ZipFile(io.BytesIO(canonical(skops.io.dumps(learned)))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"__id__" not in archive.read("schema.json")
        assert "0.npy" in archive.namelist()


def write_unchecked(root, stored, model_card) -> str:
    """Write the files of an object that `save` would refuse, under the digest of their content; return the version."""
    content = {"model.skops": canonical(skops.io.dumps(stored)), "card.json": model_card.to_json().encode()}
    version = store_module.version_of(content["model.skops"], model_card)
    folder = root / "2610" / "logistique" / version
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return version


def test_the_unused_bytes_between_the_fields_of_a_record_are_stored_as_zeros():
    kind = np.dtype({"names": ["side"], "formats": ["u1"], "offsets": [0], "itemsize": 8})
    archives = []
    for gap in (b"\x00", b"\x7f"):
        buffer = io.BytesIO()
        records = np.frombuffer((b"\x01" + gap * 7) * 3, dtype=kind)
        np.save(buffer, records)
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w") as archive:
            archive.writestr("schema.json", '"12.npy"')
            archive.writestr("12.npy", buffer.getvalue())
        archives.append(whole.getvalue())
    first, second = (canonical(archive) for archive in archives)
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert np.load(io.BytesIO(archive.read("0.npy")))["side"].tolist() == [1, 1, 1]
