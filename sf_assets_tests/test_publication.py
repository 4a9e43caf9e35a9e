"""A list is published as an act, frozen, corrected by versions, and made again byte for byte."""

import json
import math
import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.resources import Folders
from sf_assets.engine.storage.maintenance import merge_and_expire
from sf_assets.evaluation.effect import FARTHEST
from sf_assets.operations.acceptance import accept
from sf_assets.publication import manifest as manifests
from sf_assets.publication import publishing
from sf_assets.publication.changes import changes_between
from sf_assets.publication.publishing import Publication
from sf_assets.publication.rebuilding import Proof, rebuild
from sf_assets.publication.versions import published_snapshots
from sf_assets.vocabulary.failures import Blocked, PermanentFailure
from sf_assets_dev import demo
from sf_assets_dev.answers import answer_and_read_back
from sf_assets_tests.planted_month import (
    BY,
    MONTH,
    NEXT,
    REASON,
    deliver,
    judge,
    list_twice_as_strict,
    list_with_thresholds,
    make_list,
    plant,
    plant_rows,
    published_folder,
)
from sf_assets_tests.runs import Place

PUBLISHED_AT = datetime(2025, 10, 6, 8, 30, tzinfo=UTC)
LATER = datetime(2031, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a deployment whose list of the month is made; tests work on copies."""
    made = Place(tmp_path_factory.mktemp("listed"))
    plant(made)
    make_list(made)
    return made.settings.data_dir


@pytest.fixture
def place(listed: Path, tmp_path: Path) -> Place:
    folder = tmp_path / "data"
    shutil.copytree(listed, folder)
    return Place(folder)


def publish(place: Place, *, by: str = BY, reason: str = REASON) -> Publication:
    with place.warehouse.session() as session:
        return publishing.publish(
            session, Gate(SUITES), MONTH, Folders.below(place.settings.data), place.settings.parameters,
            by=by, reason=reason, at=PUBLISHED_AT,
        )  # fmt: skip


@pytest.fixture(scope="module")
def published_month(listed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a deployment whose list is published; tests work on copies."""
    folder = tmp_path_factory.mktemp("published") / "data"
    shutil.copytree(listed, folder)
    publish(Place(folder))
    return folder


@pytest.fixture
def published(published_month: Path, tmp_path: Path) -> Place:
    folder = tmp_path / "data"
    shutil.copytree(published_month, folder)
    return Place(folder)


def proof(place: Place, version: int = 1, into: Path | None = None) -> Proof:
    return rebuild(place.warehouse, Gate(SUITES), Folders.below(place.settings.data), MONTH, version, into=into)


def files_of(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_published_list_is_frozen_with_everything_it_was_made_from(place: Place, tmp_path: Path) -> None:
    run = place.run("publish", MONTH, {"list_publication": {"by": BY, "reason": REASON}})
    assert run.failures == {}
    assert run.refused == {}, "the proof ran too"
    folder = published_folder(place)
    written = json.loads((folder / "manifeste.json").read_text())
    handed_over = place.settings.data / "lists" / "2509"
    for kind in ("csv", "json", "parquet"):
        assert (folder / f"liste_2509.{kind}").read_bytes() == (handed_over / f"liste_2509.{kind}").read_bytes()
    assert written["published_by"] == BY
    assert written["reason"] == REASON
    assert {entry["table"] for entry in written["inputs"]} >= {"feat_matrix", "model_scores", "list_alerts"}
    assert all(entry["written_by"] for entry in written["inputs"] if entry["rows"])
    assert written["model"]["card"]
    assert written["settings"]["perimeter_staff"] == 10
    assert set(written["files"]) == {path.name for path in files_of(folder)} - {"manifeste.json"}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in files_of(folder)}
    assert modes == {0o400}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o500
    (row,) = place.rows("list_publication", MONTH).iter_rows(named=True)
    assert (row["version"], row["published_by"], row["entrees"]) == (1, BY, 0)
    # And it is made again, in a folder of its own.
    into = tmp_path / "again"
    assert proof(place, into=into).same
    for path in files_of(into):
        assert path.read_bytes() == (folder / path.name).read_bytes()
    with pytest.raises(PermanentFailure, match="expected an empty folder"):
        proof(place, into=into)


@pytest.mark.parametrize("given", [{"by": " "}, {"reason": ""}])
def test_a_publication_has_a_name_and_a_reason(place: Place, given: dict[str, str]) -> None:
    with pytest.raises(PermanentFailure, match="expected a name and a reason"):
        publish(place, **given)
    assert not published_folder(place).exists()


def test_a_run_of_everything_that_follows_publishes_nothing(place: Place) -> None:
    run = place.build(MONTH, "list_publication")
    assert run.failures == {}
    assert "list_publication" not in run.written
    assert not published_folder(place).exists()


def test_nothing_is_published_while_a_gate_is_shut_and_an_acceptance_is_printed(place: Place) -> None:
    with place.warehouse.session() as session:
        judge(session, "list_export", MONTH, key_unique=2)
    with pytest.raises(Blocked, match="list_export, 2025-09: key_unique refuses 2 of 100"):
        publish(place)
    assert not published_folder(place).exists()
    with place.warehouse.session() as session:
        accept(
            session, SUITES["list_export"], "key_unique", MONTH, reason="doublon connu", accepted_by=BY, accepted_at=LATER
        )  # fmt: skip
    publish(place)
    (accepted,) = json.loads((published_folder(place) / "manifeste.json").read_text())["acceptances"]
    assert accepted["reason"] == "doublon connu"
    assert "list_export, key_unique : doublon connu" in words_of(published_folder(place) / "liste_2509.xlsx")
    assert proof(place).same


def test_a_correction_is_a_new_version_that_says_what_it_changes(place: Place) -> None:
    deliver(place, "stg_acces", [recipient("dge", "national", "score urssaf dgefp bdf pge dgfip")])
    publish(place)
    first = {path: path.read_bytes() for path in files_of(published_folder(place))}
    with pytest.raises(PermanentFailure, match="found the same"):
        publish(place)
    list_twice_as_strict(place)
    publish(place, reason="seuils trop bas")
    assert {path: path.read_bytes() for path in files_of(published_folder(place))} == first
    folder = published_folder(place, 2)
    before, after = (pl.read_parquet(one / "liste_2509.parquet") for one in (published_folder(place), folder))
    left = set(before["siren"]) - set(after["siren"])
    assert left, "choose other thresholds"
    assert json.loads((folder / "manifeste.json").read_text())["changes"]["sorties"] == len(left)
    told = (folder / "changements_2509.csv").read_text(encoding="utf-8-sig")
    assert all(siren in told for siren in left)
    text = words_of(folder / "liste_2509.xlsx")
    assert "elle corrige et remplace la version 1" in text
    assert "seuils trop bas" in text
    assert f"Sorties : {len(left)}." in text
    # Who was in alert on a published list is still shown to those who could see it.
    sent = [rows_of(published_folder(place, n) / "destinataires/dge/liste_2509.csv") for n in (1, 2)]
    assert set(sent[0]["SIREN"]) == set(sent[1]["SIREN"])
    gone = sent[1].filter(pl.col("Évolution") == "Sortie de la liste")
    assert set(gone["SIREN"]) == left
    assert gone["Niveau d'alerte"].unique().to_list() == ["Pas d'alerte"]
    assert proof(place, 1).same, "the first version is still proven after the second"
    assert proof(place, 2).same


def write_again(place: Place) -> None:
    """Write other scores of the month, as a later run would."""
    query = "select * exclude (month) replace (0.0::double as probabilite) from lake.model_scores where month = $month"
    with place.warehouse.session() as session:
        session.replace(
            {TABLES["model_scores"]: query},
            where={"month": MONTH},
            author="test",
            message="later",
            parameters={"month": MONTH},
        )


def test_the_proof_outlives_later_writes_and_maintenance(published: Place) -> None:
    write_again(published)
    with published.warehouse.session() as session:
        kept = published_snapshots(session)
        done = merge_and_expire(session, at=LATER, keep_months=24, dry_run=False, kept=kept)
    assert done.expired > 0
    assert proof(published).same


def test_a_snapshot_that_expired_all_the_same_is_said(published: Place) -> None:
    write_again(published)
    with published.warehouse.session() as session:
        merge_and_expire(session, at=LATER, keep_months=24, dry_run=False, kept=())
    with pytest.raises(PermanentFailure, match="expected snapshot"):
        proof(published)


def test_a_file_or_a_manifest_or_a_model_that_was_changed_is_found(published: Place) -> None:
    folder = published_folder(published)
    card = next((published.settings.data / "models").rglob("card.json"))
    whole = card.read_text()
    card.write_text(whole + " ")
    found = proof(published)
    assert found.model == ("card.json",)
    assert not found.same
    card.write_text(whole)
    changed = folder / "liste_2509.csv"
    changed.chmod(0o600)
    changed.write_text("autre")
    found = proof(published)
    assert found.altered == ("liste_2509.csv",)
    assert not found.explained
    assert "restore them from a backup" in found.summary
    path = folder / "manifeste.json"
    path.chmod(0o600)
    path.write_text(path.read_text().replace(BY, "X"))
    with pytest.raises(PermanentFailure, match="Somebody changed the manifest"):
        proof(published)


def test_rows_that_differ_from_those_read_are_found(published: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real = manifests.read_manifest

    def other_rows(folder: Path, checksum: str) -> manifests.Manifest:
        manifest = real(folder, checksum)
        return replace(manifest, inputs=tuple({**entry, "digest": "0"} for entry in manifest.inputs[:1]))

    monkeypatch.setattr("sf_assets.publication.rebuilding.read_manifest", other_rows)
    found = proof(published)
    assert len(found.inputs) == 1
    assert not found.same


def test_code_that_changed_names_the_version_to_install_and_still_proves_the_sources(
    published: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"version": "9.9.9", "digest": "other", "python": "3", "libraries": {}}
    monkeypatch.setattr("sf_assets.publication.rebuilding.code_in_use", lambda: other)
    assert proof(published).same, "other code that writes the same bytes proves the list"
    monkeypatch.setattr("sf_assets.lists.readme._CONFIDENTIAL", "autre phrase")
    found = proof(published)
    assert found.different == ("liste_2509.html", "liste_2509.xlsx")
    assert found.explained
    assert "Published files, inputs and model are those recorded." in found.summary
    assert f"install v{manifests.VERSION}" in found.summary
    monkeypatch.undo()
    monkeypatch.setattr("sf_assets.lists.readme._CONFIDENTIAL", "autre phrase")
    assert not proof(published).explained, "the same code that writes other bytes is an error"


def test_the_daily_folder_must_still_be_what_the_warehouse_gives(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sf_assets.lists.month_list.VERSION", "9.9.9")
    with pytest.raises(PermanentFailure, match="materialise list_export again"):
        publish(place)
    assert not published_folder(place).exists()


def test_the_newest_list_is_proven_every_month(published: Place) -> None:
    changed = published_folder(published) / "liste_2509.csv"
    changed.chmod(0o600)
    changed.write_text("autre")
    run = published.run("prove_published")
    (refusal,) = run.refused["list_publication"]
    assert refusal.check_name == "rebuilt_same"
    assert "liste_2509.csv" in (refusal.description or "")


def recipient(name: str, zones: str, droits: str, **changes: object) -> dict[str, object]:
    given = {"destinataire": name, "role": "CODEFI", "zones": zones, "droits": droits}
    return given | {"revu_le": date(2025, 9, 1), "valable_jusqu_au": date(2026, 9, 1)} | changes


def test_each_recipient_gets_its_companies_and_columns_only(place: Place) -> None:
    rights = [
        recipient("codefi-21", "21", "score urssaf"),
        recipient("ddets-69", "69", "dgefp"),
        recipient("dge", "national", "score urssaf dgefp bdf pge dgfip"),
        recipient("parti", "21", "score", valable_jusqu_au=date(2025, 9, 1)),
        recipient("oublie", "21", "score", revu_le=date(2025, 1, 1)),
    ]
    deliver(place, "stg_acces", rights)
    publish(place)
    folder = published_folder(place)
    assert {path.name for path in (folder / "destinataires").iterdir()} == {"codefi-21", "ddets-69", "dge"}
    told = {one["recipient"]: one for one in json.loads((folder / "manifeste.json").read_text())["recipients"]}
    assert (told["parti"]["lapsed"], told["oublie"]["lapsed"]) == ("expiré", "non revu depuis plus de 6 mois")
    listed = pl.read_parquet(folder / "liste_2509.parquet")
    places = place.rows("clean_sirene", MONTH)
    sent = {
        name: rows_of(folder / "destinataires" / name / "liste_2509.csv") for name in ("codefi-21", "ddets-69", "dge")
    }
    in_21 = set(places.filter(departement="21")["siren"]) & set(listed["siren"])
    assert set(sent["codefi-21"]["SIREN"]) == in_21
    assert in_21 > set(listed.filter(departement="21")["siren"]), "an establishment is enough"
    assert set(sent["dge"]["SIREN"]) == set(listed["siren"])
    assert sent["dge"]["Premier motif"].to_list() == listed["motif_1"].to_list()
    assert not {"Risque", "Rang", "Niveau d'alerte", "Première alerte"} & set(sent["ddets-69"].columns)
    assert "Certains motifs ne sont pas affichés" in words_of(folder / "destinataires/ddets-69/liste_2509.xlsx")
    assert "Certains motifs" not in words_of(folder / "destinataires/dge/liste_2509.xlsx")
    page = (folder / "destinataires/ddets-69/liste_2509.html").read_text(encoding="utf-8")
    assert "Certains motifs ne sont pas affichés" in page
    assert all(siren in page for siren in sent["ddets-69"]["SIREN"])
    reasons = " ".join(
        sent["ddets-69"].select("Premier motif", "Deuxième motif", "Troisième motif").fill_null("").row(0)
    )
    assert "URSSAF" not in reasons
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert modes == {0o400, 0o500}
    assert proof(place).same, "the folders of recipients are proven too"


def test_the_answers_of_officers_stand_beside_the_next_list_for_those_who_may_see_it(published: Place) -> None:
    plant(published, NEXT)
    listed = published.rows("list_alerts", MONTH)["siren"].to_list()
    answers = [
        {
            "siren": listed[0],
            "liste": "2509",
            "destinataire": "codefi-21",
            "utilite": "Déjà connue",
            "remarque": "secrète",
        },
        {"siren": listed[1], "liste": "2509", "destinataire": "ddets-69", "contactee_le": date(2025, 10, 20)},
    ]
    rights = [recipient("dge", "national", "score urssaf dgefp"), recipient("ddets", "national", "urssaf dgefp")]
    deliver(published, "stg_acces", rights, NEXT)
    deliver(published, "stg_retour", answers, NEXT)
    make_list(published, NEXT)
    found = published.rows("list_alerts", NEXT).filter(pl.col("derniere_reponse").is_not_null())
    assert dict(found.select("siren", "derniere_reponse").rows()) == {
        listed[0]: "Déjà connue, réponse reçue en 10/2025",
        listed[1]: "Contactée le 20/10/2025",
    }
    run = published.run("publish", NEXT, {"list_publication": {"by": BY, "reason": REASON}})
    assert (run.failures, run.refused) == ({}, {}), "and the list is made again from the same answers"
    folder = published_folder(published, month=NEXT) / "destinataires"
    sent = rows_of(folder / "dge/liste_2510.csv").filter(SIREN=listed[0])
    assert sent["Déjà connue depuis"].item() == "09/2025"
    assert "Déjà connue, réponse reçue en 10/2025" in (folder / "dge/liste_2510.html").read_text(encoding="utf-8")
    for path in files_of(folder / "ddets"):
        assert "connue, réponse" not in (words_of(path) if path.suffix == ".xlsx" else path.read_text(encoding="utf-8"))
    for path in files_of(published_folder(published, month=NEXT)):
        assert b"secr" + "è".encode() + b"te" not in path.read_bytes()


def test_published_lists_are_measured_with_their_answers_and_their_outcome(place: Place) -> None:
    list_with_thresholds(place, 0.02, 0.4)
    publish(place)
    with place.warehouse.session() as session:
        judge(session, "list_publication", MONTH)
    plant(place, NEXT)
    listed = place.rows("list_alerts", MONTH).filter(version=2)["siren"].to_list()
    every = place.rows("feat_company_month", MONTH)["siren"].to_list()
    answers = [
        {"siren": siren, "liste": "2509", "destinataire": "dge", "contactee_le": date(2025, 10, 20), "utilite": "Utile"}
        for siren in listed[:12]
    ]
    deliver(place, "stg_retour", answers, NEXT)
    outcomes = [
        {"siren": siren, "periode": MONTH, "target": siren in listed[:3], "en_procedure": siren == listed[-1]}
        for siren in every
    ]
    plant_rows(place, "model_target", outcomes, NEXT)
    run = place.build(NEXT, "list_answers", "eval_answers", "eval_effect")
    assert (run.failures, run.refused) == ({}, {})
    found = {
        row["mesure"]: row
        for row in place.rows("eval_answers", NEXT).filter(niveau=1, dimension="ensemble").iter_rows(named=True)
    }
    assert (found["contactees"]["entreprises"], found["contactees"]["valeur"]) == (len(listed), 12 / len(listed))
    assert found["delai_jours"]["valeur"] == 14.0, "published on the 6th"
    assert found["utiles"]["valeur"] == 1.0
    assert found["defaillances"]["entreprises"] == len(listed) - 1, "one was already in a procedure"
    assert found["defaillances_contactees"]["valeur"] == pytest.approx(3 / 12)
    (effect,) = place.rows("eval_effect", NEXT).filter(mesure="effet_publication").iter_rows(named=True)
    assert effect["valeur"] is None
    odds = (pl.col("probabilite") / (1 - pl.col("probabilite"))).log() - math.log(0.02 / 0.98)
    near = place.rows("model_scores", MONTH).filter(odds.abs() < FARTHEST, pl.col("siren") != listed[-1])
    assert effect["lignes"] == near.height > 0, "scored companies around the threshold, listed or not"


def rows_of(path: Path) -> pl.DataFrame:
    rows = pl.read_csv(path, separator=";", infer_schema=False)
    return rows.with_columns(pl.col(pl.String).str.strip_prefix('="').str.strip_suffix('"'))


def test_the_demonstration_ends_with_a_published_list_and_does_not_publish_it_twice(place: Place) -> None:
    for _ in range(2):
        assert demo.publish(place.settings, place.definitions, place.instance, MONTH)
    assert place.rows("list_publication", MONTH)["version"].to_list() == [1]


def test_simulated_officers_answer_and_their_files_are_read_back(place: Place) -> None:
    assert [*answer_and_read_back(place.settings, MONTH)] == [], "nothing is published yet"
    list_with_thresholds(place, 0.02, 0.4)
    deliver(place, "stg_acces", [recipient("dge", "national", "score"), recipient("codefi-21", "21", "urssaf")])
    publish(place)
    lines = [line.replace("\xa0", " ") for line in answer_and_read_back(place.settings, MONTH)]
    assert lines == [line.replace("\xa0", " ") for line in answer_and_read_back(place.settings, MONTH)]
    read = [line for line in lines if line.startswith("  retour_")]
    assert [line.partition(":")[0].strip() for line in read] == ["retour_codefi-21_2509.csv", "retour_dge_2509.csv"]
    assert all(line.endswith(" 0 refused") and " 0 answers" not in line for line in read)
    assert "  liste de 09/2025, niveau toutes" in lines
    assert any(re.match(r"    contactées : \d+,\d % sur 14 ", line) for line in lines)
    answers = rows_of(place.settings.data / "answers" / "2509" / "retour_dge_2509.csv")
    contacts = answers["Contactée le"].replace("", None).drop_nulls().str.to_date("%d/%m/%Y")
    published = place.rows("list_publication", MONTH)["published_at"].item().date()
    assert contacts.len() > 0
    assert contacts.min() > published, "officers call once they have the list"


def test_changes_are_entries_exits_and_levels() -> None:
    def rows(**levels: int) -> pl.DataFrame:
        return pl.DataFrame(
            {"siren": list(levels), "raison_sociale": [f"S {name}" for name in levels], "niveau": list(levels.values())}
        )

    found = changes_between(rows(a=1, b=1, c=2), rows(b=2, c=2, d=1))
    assert found.rows.select("siren", "changement", "avant", "apres").rows() == [
        ("a", "Sortie", "Risque modéré", None),
        ("b", "Changement de niveau", "Risque modéré", "Risque fort"),
        ("d", "Entrée", None, "Risque modéré"),
    ]
    assert found.sentence == "Entreprises entrées : 1. Sorties : 1. Changements de niveau : 1."


def words_of(workbook: Path) -> str:
    import zipfile  # noqa: PLC0415

    with zipfile.ZipFile(workbook) as book:
        return book.read("xl/sharedStrings.xml").decode().replace("\xa0", " ")
