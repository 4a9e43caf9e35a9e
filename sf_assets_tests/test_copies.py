"""Unwanted files in a folder: parts, backups, open files and copies of another month are unsupported and never read."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from sf_assets.sources.batch import Batch, read_batch, source_of
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME, SOURCES
from sf_assets.sources.suites import SUITES
from sf_assets.staging.delivery import read_delivered
from sf_assets.vocabulary.failures import BadFile

OCTOBER = date(2026, 10, 1)
LIKE_A_FILE = (
    "sigfaible_effectif_siret.csv", "effectif_dom.csv", "filter_2610.csv", "diane_2020.csv", "SF_DATA_20261001.txt",
    "sigfaible_etablissement_utf8_bis.csv", "annonces-commerciales.csv", "annonces-commerciales.json", "sigfaible_debits.csv",
    "S_202011095834-3_202311010315.csv", "E_202011095834_Retro-Paydex_20230101.csv", "Ellisphère-Tête de groupe-2026.xlsx",
    "StockUniteLegale_utf8.csv", "StockUniteLegale_2021-06.parquet", "retour_codefi-21_2610.csv", "access.csv",
)  # fmt: skip


@pytest.mark.parametrize("name", LIKE_A_FILE)
@pytest.mark.parametrize(
    "other", ["{}.part", "{}.bak", "{}.pdf", "{}.tmp", "{}~", "~${}", "{}.crdownload", "{}.gz.part", "{}.docx"]
)
def test_a_name_that_only_contains_a_known_name_belongs_to_no_source(name: str, other: str) -> None:
    assert source_of(name) is not None
    assert source_of(f"{name}.gz") is not None
    assert source_of(other.format(name)) is None


@pytest.mark.parametrize("source", [one for one in SOURCES if one.pattern], ids=lambda one: one.name)
def test_no_pattern_accepts_any_suffix(source) -> None:
    taken = [name for name in LIKE_A_FILE if source.matches(name)]
    assert taken, "a name of the pattern is missing above"
    assert not any(source.matches(f"{name}.old") for name in taken)


def listed(incoming: Path, *names: str) -> Batch:
    folder = incoming / "2610"
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("x")
    return read_batch(incoming, OCTOBER)


@pytest.mark.parametrize(
    ("copy", "right"),
    [
        ("sigfaible_effectif_siret_2609.csv", "sigfaible_effectif_siret.csv"),
        ("sigfaible_effectif_siret (1).csv", "sigfaible_effectif_siret.csv"),
        ("sigfaible_effectif_siret - Copie.csv", "sigfaible_effectif_siret.csv"),
        ("Copie de sigfaible_effectif_siret.csv", "sigfaible_effectif_siret.csv.gz"),
        ("sigfaible_effectif_siret_old.csv", "sigfaible_effectif_siret.zip"),
        ("effectif_siret_2609.csv", "effectif_siret_2610.csv"),
        ("effectif_siret_202609.csv.gz", "effectif_siret_202610.csv"),
        ("effectif_siret_2026-09.csv", "effectif_siret_2026-10.csv"),
        ("effectif_092026.csv", "effectif_102026.csv"),
        ("filter_2609.csv", "filter_2610.csv"),
        ("Ellisphère-Tête de groupe-092026.xlsx", "Ellisphère-Tête de groupe-102026.xlsx"),
    ],
)
def test_last_months_copy_beside_this_months_file_is_unsupported(tmp_path: Path, copy: str, right: str) -> None:
    batch = listed(tmp_path, copy, right)
    ((path,),) = batch.files.values()
    assert (path.name, batch.unsupported, batch.doubtful) == (right, (copy,), {})


def test_a_copy_of_the_companies_file_is_not_read_as_one_of_establishments(tmp_path: Path) -> None:
    batch = listed(tmp_path, "sigfaible_effectif_siren.csv", "sigfaible_effectif_siren_2609.csv")
    assert list(batch.files) == ["effectif_ent"]
    assert batch.unsupported == ("sigfaible_effectif_siren_2609.csv",)


def test_files_that_complete_one_another_are_all_read(tmp_path: Path) -> None:
    batch = listed(tmp_path, "sigfaible_effectif_siret.csv", "effectif_dom.csv", "xx_effectif_yy.txt")
    assert len(batch.files["effectif"]) == 3
    assert (batch.unsupported, batch.doubtful) == ((), {})


def test_a_source_whose_every_file_is_whole_has_the_check_of_one_file() -> None:
    """The sheets of two months may bear names that share nothing but the pattern."""
    checked = {name for name, suite in SUITES.items() if any(probe.name == "one_file" for probe in suite.probes)}
    assert checked == {
        "src_effectif_ent", "src_sirene", "src_sirene_ul", "src_sirene_histo", "src_ellisphere", "src_acces",
    }  # fmt: skip


def test_ambiguous_copies_are_refused_with_advice(tmp_path: Path) -> None:
    batch = listed(tmp_path, "effectif_siret_1.csv", "effectif_siret_2.csv")
    assert len(batch.files["effectif"]) == 2
    reason = batch.doubtful[tmp_path / "2610" / "effectif_siret_1.csv"]
    assert reason == (
        "effectif_siret_1.csv: expected one file of 2026-10, found effectif_siret_1.csv, effectif_siret_2.csv, whose names "
        "differ by numbers alone. Take the copies out of the folder, or write a description of the batch if they complete "
        "one another"
    )


HEADER = "compte;siret;rais_soc;ape_ins;dep;eff202611;eff202612\n"
SIRETS = [f"{512345678}{n:05d}" for n in range(40)]


def headcounts(path: Path, sirets: list[str]) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEADER + "".join(f"1;{siret};x;6201Z;75;10;11\n" for siret in sirets))
    return path


@pytest.mark.parametrize(("shared", "refused"), [(0, False), (1, False), (3, True), (20, True)])
def test_two_headcount_files_of_the_same_establishments_are_refused(
    tmp_path: Path,
    shared: int,
    refused: bool,  # noqa: FBT001
) -> None:
    folder = tmp_path / "2610"
    paths = {
        "effectif_a.csv": headcounts(folder / "effectif_a.csv", SIRETS[:20]),
        "effectif_b.csv": headcounts(folder / "effectif_b.csv", SIRETS[20 - shared : 40 - shared]),
    }
    batch = Batch(OCTOBER, folder, {"effectif": tuple(paths.values())}, ())
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute("create temp table perimeter as select '512345678' as siren")
        if not refused:
            assert sum(count.accepted for count in read_delivered(connection, batch, BY_NAME["effectif"], paths)) == 40
            return
        with pytest.raises(BadFile) as error:
            read_delivered(connection, batch, BY_NAME["effectif"], paths)
    assert str(error.value.description) == (
        f"stg_effectif: expected files that complete one another, found {shared} of 20 establishments in effectif_a.csv and in "
        "effectif_b.csv too. Take the copy out of the folder and materialise src_effectif again."
    )
