"""The label tables are the official ones, byte for byte; a batch may bring newer ones."""

import gzip
import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sf_assets.sources.nomenclatures.editions import table_of
from sf_assets.sources.nomenclatures.label_tables import TABLES, csv_path, load
from sf_assets.sources.nomenclatures.updates import BadNomenclature, require_valid
from sf_assets_dev.synthetic import write_batch
from sf_assets_tests.apart import shared
from sf_assets_tests.runs import Place

FINGERPRINTS = {
    ("naf_codes", "niv5", 732): "91358bfa9115102a94fcb4ad362033167d490880f26fae0f6480fceb61324a60",
    ("naf_codes", "niv5 niv5_libelle", 732): "6c372126287eaaa77ec0a4105daab5fcb46ce0c4329ad9de8859ba806ce32614",
    ("naf25_codes", "niv5", 747): "c2c9da2b04e84a25b91efb60ba18073db26d2482efa3c9115afbbef249ba6276",
    ("naf25_codes", "niv5 niv5_libelle", 747): "1f37dd6e5f3680856003a47a32b7ba969d7c88c6fed05a80e569c0e284355a82",
    ("categories_juridiques", "code libelle", 260): "dec9b28e0d5ab2a0af044bd44cd09156c174af74faddb8d6ad89b0c979a58940",
    (
        "labels_departement_region",
        "departement libelle_departement region libelle_region",
        110,
    ): "179cfeabeecdda03854648979c3d836d886208c0318999d5dad33e9815ca05a0",
}
SECTION_LABELS = {
    "C": ("Industrie manufacturière", "INDUSTRIE MANUFACTURIÈRE"),
    "J": (
        "Information et communication",
        "ÉDITION, DIFFUSION ET ACTIVITÉS DE PRODUCTION ET DE DISTRIBUTION DE CONTENU",
    ),
    "V": (None, "ACTIVITÉS DES ORGANISATIONS ET ORGANISMES EXTRATERRITORIAUX"),
}


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        load(connection)
        yield connection


@pytest.mark.parametrize(("table", "columns", "count"), FINGERPRINTS)
def test_a_nomenclature_has_its_published_fingerprint(con, table, columns, count):
    names = columns.split()
    rows = con.execute(f"select {', '.join(names)} from {table} order by {names[0]}").fetchall()
    text = "\n".join(";".join(row) for row in rows)
    assert len(rows) == count
    assert hashlib.sha256(text.encode()).hexdigest() == FINGERPRINTS[table, columns, count]


# What INSEE publishes of its edition of January 2026: all of one side, and all but one code of the other.
def test_the_correspondence_has_its_published_counts_and_only_codes_that_exist(con):
    counted = """
        select
            count(*), count(distinct naf), count(distinct naf25), count_if(naf[:5] <> naf25[:5]),
            count_if(naf_codes.niv1 <> naf25_codes.niv1)
        from naf_passage join naf_codes on naf = naf_codes.niv5 join naf25_codes on naf25 = naf25_codes.niv5
    """
    assert con.execute(counted).fetchone() == (1223, 732, 746, 650, 299)
    assert con.execute("select niv5 from naf25_codes anti join naf_passage on niv5 = naf25").fetchall() == [("46.89Y",)]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_nomenclature_has_its_declared_columns_a_key_without_repeat_and_no_empty_cell(con, table):
    header = csv_path(table.name).read_text(encoding="utf-8").split("\n", 1)[0]
    assert header.split(",") == list(table.column_names)
    columns = con.execute(f"describe {table.name}").fetchall()
    assert [(name, kind) for name, kind, *_ in columns] == [(column.name, column.type) for column in table.columns]
    key = ", ".join(table.key)
    assert con.execute(f"select {key} from {table.name} group by {key} having count(*) > 1").fetchall() == []
    empty = " or ".join(f"coalesce({name}::varchar, '') = ''" for name in table.column_names)
    assert con.execute(f"select * from {table.name} where {empty}").fetchall() == []


@pytest.mark.parametrize(("table", "sections"), [("naf_codes", 21), ("naf25_codes", 22)])
def test_upper_levels_begin_the_code_and_a_division_has_one_section(con, table, sections):
    wrong = f"select niv5 from {table} where niv4 <> niv5[:5] or niv3 <> niv5[:4] or niv2 <> niv5[:2]"
    assert con.execute(wrong).fetchall() == []
    assert con.execute(f"select niv2 from {table} group by niv2 having count(distinct niv1) > 1").fetchall() == []
    assert con.execute(f"select count(distinct niv1), count(distinct niv1_libelle) from {table}").fetchone() == (
        sections,
        sections,
    )


@pytest.mark.parametrize("letter", SECTION_LABELS)
def test_a_section_letter_names_different_sections_in_the_two_editions(con, letter):
    for table, label in zip(("naf_codes", "naf25_codes"), SECTION_LABELS[letter], strict=True):
        found = con.execute(f"select distinct niv1_libelle from {table} where niv1 = ?", [letter]).fetchall()
        assert found == ([(label,)] if label else [])


def test_department_and_region_codes_are_text_with_their_leading_zeros(con):  # trap 34
    find = "select libelle_departement, region, libelle_region from labels_departement_region where departement = ?"
    assert con.execute(find, ["971"]).fetchone() == ("Guadeloupe", "01", "Guadeloupe")
    assert con.execute(find, ["01"]).fetchone() == ("Ain", "84", "Auvergne-Rhône-Alpes")
    assert con.execute(find, ["2A"]).fetchone() == ("Corse-du-Sud", "94", "Corse")
    assert con.execute(find, ["20"]).fetchone() is None


def test_reasons_6_and_7_of_short_time_work_share_their_label(con):
    labels = dict(con.execute("select id, label from labels_motif_recours").fetchall())
    assert list(labels) == [1, 2, 3, 4, 5, 6, 7]
    assert labels[6] == labels[7] == "Motif inconnu"
    assert labels[4] == "Transformation, restructuration ou modernisation des installations et des bâtiments"


def test_kinds_of_streets_are_the_42_of_the_register(con):
    kinds = dict(con.execute("select code, libelle from types_voie").fetchall())
    assert len(kinds) == 42
    assert kinds["CHE"] == "CHEMIN"
    assert kinds["SEN"] == "SENTE - SENTIER"
    assert "AVENUE" not in kinds


def test_an_unknown_nomenclature_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match=r"naf_codes.*found 'naf'"):
        csv_path("naf")


def delivered_csv(folder: Path, name: str, change: Callable[[list[str]], list[str]] = lambda lines: lines) -> Path:
    """Write the packaged table as a delivered file, after the change."""
    lines = csv_path(name).read_text(encoding="utf-8").splitlines()
    path = folder / f"{name}.csv"
    path.write_text("\n".join(change(lines)) + "\n", encoding="utf-8")
    return path


def require(*paths: Path, name: str = "categories_juridiques") -> None:
    (table,) = (table for table in TABLES if table.name == name)
    require_valid(table, paths, csv_path(name))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_packaged_table_delivered_unchanged_is_accepted(tmp_path, table):
    path = delivered_csv(tmp_path, table.name)
    require(path, name=table.name)
    with duckdb.connect(config={"threads": 1}) as connection:
        load(connection)
        before = connection.execute(f"from {table.name}").fetchall()
        load(connection, {table.name: [path]})
        assert connection.execute(f"from {table.name}").fetchall() == before


def test_a_delivered_table_replaces_the_packaged_one_alone(tmp_path):
    path = delivered_csv(tmp_path, "categories_juridiques", lambda lines: [*lines, "9998,Forme nouvelle"])
    require(path)
    archive = path.with_suffix(".csv.gz")
    archive.write_bytes(gzip.compress(path.read_bytes()))
    require(archive)
    with duckdb.connect(config={"threads": 1}) as connection:
        for update in (path, archive):
            load(connection, {"categories_juridiques": [update]})
            assert connection.execute("select libelle from categories_juridiques where code = '9998'").fetchone() == (
                "Forme nouvelle",
            )
            assert connection.execute("select count(*) from naf_codes").fetchone() == (732,)
        load(connection)
        assert connection.execute("select count(*) from categories_juridiques").fetchone() == (260,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: ["code;libelle", *lines[1:]], "column libelle: expected a value on each line, found none on 1"),
        (lambda _: [], "column code: expected a value on each line, found none on 1"),
        (lambda lines: [*lines, "99980,Forme"], "column code: expected codes like .*, found 1 others"),
        (lambda lines: [*lines, "9998,"], "column libelle: expected a value on each line, found none on 1"),
        (lambda lines: [*lines, lines[5]], "column code: expected each code once, found 1 repeated"),
        (lambda lines: [*lines, "9998,a,b"], "expected 2 cells a line in UTF-8, found others"),
        (lambda lines: lines[:230], "column code: expected at least 90% of the 260 codes in use, found 229"),
        (lambda lines: [lines[0], *(f"{n:04},Forme" for n in range(1, 300))], "of the 260 codes in use, found 0"),
    ],
)  # fmt: skip
def test_an_invalid_delivered_table_is_refused_with_the_reason(tmp_path, change, message):
    path = delivered_csv(tmp_path, "categories_juridiques", change)
    with pytest.raises(BadNomenclature, match=rf"categories_juridiques.csv.*{message}"):
        require(path)


@pytest.mark.parametrize("number", ["1e1", "1.5", "0x1", "1_0", " 1"])
def test_a_number_of_a_delivered_table_is_read_strictly(tmp_path, number):
    path = delivered_csv(
        tmp_path, "bodacc_natures", lambda lines: [lines[0], number + lines[1][lines[1].index(",") :], *lines[2:]]
    )
    with pytest.raises(BadNomenclature, match="column rang: expected INTEGER, found something else on 1 lines"):
        require(path, name="bodacc_natures")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda lines: ["code;libelle", *lines[1:]], "code;libelle"),
        (lambda lines: lines[1:], "ALL,ALLÉE"),
        (lambda _: [], "nothing"),
    ],
)
def test_a_table_without_a_published_layout_is_refused_without_the_declared_columns(tmp_path, change, found):
    path = delivered_csv(tmp_path, "types_voie", change)
    with pytest.raises(BadNomenclature, match=rf"^types_voie.csv, line 1: expected code,libelle, found {found}$"):
        require(path, name="types_voie")


# ---- tables in the layout of their producer

# Files in the layouts of INSEE: the packaged tables with one changed label, quoted or not, with their own header or none.
OFFICIAL = {
    "labels_departement_region": {
        "v_departement_2027.csv": 'DEP,REG,TNCC,NCC,LIBELLE\n{departement},{region},0,X,"{libelle_departement}"',
        "v_region_2027.csv": "REG,CHEFLIEU,TNCC,NCC,NCCENR,LIBELLE\n{region},x,0,X,X,{libelle_region}",
    },
    "naf_codes": {
        "naf5.csv": '"Code";"Libellé"\n"{bare}";"{niv5_libelle}"',
        "naf2008_liste_n1.csv": '"Code";" Intitulés "\n"{niv1}";"{niv1_libelle}"',
        "5to1.csv": '"n5";"n1"\n"{bare}";"{niv1}"',
    },
    "categories_juridiques": {"categories_juridiques.csv": "{code},{libelle} "},
}


def published(folder: Path, name: str) -> list[Path]:
    """Write the packaged table in the files of its producer."""
    with duckdb.connect(config={"threads": 1}) as connection:
        load(connection)
        rows = connection.execute(f"from {name}").pl()
    if name == "labels_departement_region":
        rows = rows.filter(pl.col("region") != "00")
    paths = []
    for file, form in OFFICIAL[name].items():
        *header, line = form.split("\n")
        cells = [row | {"bare": row.get("niv5", "").replace(".", "")} for row in rows.iter_rows(named=True)]
        lines = dict.fromkeys(line.format_map(row) for row in cells)
        (folder / file).write_text("\n".join([*header, *lines]) + "\n", encoding="utf-8")
        paths.append(folder / file)
    return paths


@pytest.mark.parametrize("name", OFFICIAL)
def test_a_table_in_the_layout_of_insee_replaces_the_packaged_one(tmp_path, name):
    paths = published(tmp_path, name)
    require(*paths, name=name)
    with duckdb.connect(config={"threads": 1}) as connection:
        load(connection)
        before = connection.execute(f"from {name} order by all").fetchall()
        load(connection, {name: paths})
        assert connection.execute(f"from {name} order by all").fetchall() == before


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("labels_departement_region", ["departements.csv", "regions.csv"]),
        ("naf_codes", ["naf5.csv", "naf1.csv", "5to1.csv"]),
        ("categories_juridiques", ["categories_juridiques.csv"]),
    ],
)
def test_the_files_of_insee_give_the_packaged_tables(name, files):
    paths = [shared("reference", file) for file in files]
    assert {table_of(path.name) for path in paths} == {name}
    require(*paths, name=name)
    with duckdb.connect(config={"threads": 1}) as connection:
        load(connection)
        packaged = connection.execute(f"from {name} order by all").fetchall()
        load(connection, {name: paths})
        found = connection.execute(f"from {name} order by all").fetchall()
    if name == "categories_juridiques":  # of an older edition: a form was made since, and others were named anew
        assert [code for code, _ in found] == [code for code, _ in packaged if code != "2800"]
        assert len(set(found) & set(packaged)) > 0.9 * len(packaged)
    else:
        assert found == packaged


def test_a_missing_part_or_another_layout_is_reported(tmp_path):
    departements, regions = published(tmp_path, "labels_departement_region")
    with pytest.raises(
        BadNomenclature, match=r"^v_departement_2027.csv: expected one file with the columns departement,.*"
    ):
        require(departements, name="labels_departement_region")
    regions.write_text(regions.read_text().replace("REG,", "CODE,", 1))
    with pytest.raises(BadNomenclature, match=r"^v_region_2027.csv: expected the columns REG, LIBELLE in UTF-8"):
        require(departements, regions, name="labels_departement_region")
    regions.write_text("REG,LIBELLE\n84,Auvergne-Rhône-Alpes\n")
    with pytest.raises(
        BadNomenclature, match=r"column libelle_region: expected a value on each line, found none on 89"
    ):
        require(departements, regions, name="labels_departement_region")


def test_two_files_of_one_table_are_refused(tmp_path):
    path = delivered_csv(tmp_path, "types_voie")
    with pytest.raises(
        BadNomenclature, match=r"^types_voie.csv, types_voie.csv: expected one file with the columns code,libelle$"
    ):
        require(path, path, name="types_voie")


def test_a_list_of_codes_without_a_header_is_refused(tmp_path):
    paths = published(tmp_path, "naf_codes")
    paths[0].write_text(paths[0].read_text().split("\n", 1)[1])
    with pytest.raises(BadNomenclature, match=r"^naf5.csv, line 1: expected a line of names, found the code 0111Z$"):
        require(*paths, name="naf_codes")


def test_a_legal_category_without_a_name_is_refused_and_quotes_are_removed_from_names(tmp_path):
    (path,) = published(tmp_path, "categories_juridiques")
    lines = path.read_text().splitlines()
    path.write_text("\n".join(['1000, "Entrepreneur individuel"' if line[:4] == "1000" else line for line in lines]))
    require(path)
    with duckdb.connect(config={"threads": 1}) as connection:
        load(connection, {"categories_juridiques": [path]})
        (found,) = connection.execute("select libelle from categories_juridiques where code = '1000'").fetchall()
    assert found == ("Entrepreneur individuel",)
    path.write_text("\n".join([lines[0], "1000", *lines[2:]]))
    with pytest.raises(BadNomenclature, match="column libelle: expected a value on each line, found none on 1"):
        require(path)


def test_a_delivered_table_that_is_no_utf8_is_refused(tmp_path):
    path = delivered_csv(tmp_path, "categories_juridiques")
    path.write_bytes(path.read_bytes().decode().encode("latin-1", "replace"))
    with pytest.raises(BadNomenclature, match=r"categories_juridiques.csv: expected .*UTF-8"):
        require(path)


SEPTEMBER = date(2025, 9, 1)
REGISTER = (
    *("src_sirene", "src_sirene_ul", "stg_sirene", "stg_sirene_ul"),
    *("clean_naf_paire", "clean_naf_passage", "clean_sirene_ul"),
)
runs_months = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("nomenclatures"))
    write_batch(place.batch(SEPTEMBER), month=SEPTEMBER, companies=40, years=2)
    return place


@runs_months
def test_a_table_of_the_batch_names_codes_for_its_month_and_is_recorded(place):
    assert place.build(SEPTEMBER, *REGISTER).failures == {}
    before = place.rows("clean_sirene_ul", SEPTEMBER)
    path = delivered_csv(
        place.batch(SEPTEMBER),
        "categories_juridiques",
        lambda lines: [line.replace("ociété", "ociété neuve") for line in lines],
    )
    run = place.build(SEPTEMBER, *REGISTER)
    assert run.failures == {}
    assert str(path) in str(run.metadata["clean_sirene_ul"]["read"])
    after = place.rows("clean_sirene_ul", SEPTEMBER)
    renamed = before.with_columns(pl.col("libelle_categorie_juridique").str.replace_all("ociété", "ociété neuve"))
    assert_frame_equal(after, renamed.sort(renamed.columns))
    assert after["libelle_categorie_juridique"].str.contains("neuve").any()
    recorded = place.rows("src_arrivals", SEPTEMBER).filter(source="categories_juridiques")
    assert recorded["sha256"].to_list() == [hashlib.sha256(path.read_bytes()).hexdigest()]
    path.unlink()
    late = place.build(SEPTEMBER, "clean_sirene_ul")
    assert late.failures["clean_sirene_ul"] == (
        "categories_juridiques, 2025-09: expected categories_juridiques.csv as inspected on arrival, found no file, "
        "changed since. Materialise any source of the month again."
    )
    assert place.build(SEPTEMBER, *REGISTER).failures == {}
    assert_frame_equal(place.rows("clean_sirene_ul", SEPTEMBER), before)


@runs_months
def test_the_files_of_insee_in_a_batch_serve_its_month(place):
    paths = published(place.batch(SEPTEMBER), "naf_codes")
    paths[0].write_text(paths[0].read_text().replace(';"', ';"Neuf : '))
    run = place.build(SEPTEMBER, *REGISTER)
    named = place.rows("clean_sirene_ul", SEPTEMBER)["libelle_activite_principale"].drop_nulls()
    for path in paths:
        assert str(path) in str(run.metadata["clean_sirene_ul"]["read"])
        path.unlink()
    assert run.failures == {}
    assert named.str.starts_with("Neuf : ").all()
    assert not named.is_empty()


@runs_months
def test_an_invalid_table_of_the_batch_stops_only_the_assets_that_read_it(place):
    path = delivered_csv(place.batch(SEPTEMBER), "naf_codes", lambda lines: lines[:300])
    run = place.build(SEPTEMBER, *REGISTER)
    path.unlink()
    assert run.failures == {
        "clean_naf_paire": "naf_codes.csv, column niv5: expected at least 90% of the 732 codes in use, found 299"
    }
