"""What BODACC announces: records, corrections, natures, and one history of procedures with URSSAF's."""

import codecs
import csv
import gzip
import io
import json
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest
from clean_world import World, fresh_world

from sf_assets.sources.arrival import inspect
from sf_assets.sources.batch import source_of
from sf_assets.sources.corrections import edition_of
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.reading import read_source
from sf_assets.staging.tables import STAGING, query_of
from sf_assets.vocabulary.partitions import cutoff_of
from sf_assets_tests import plain
from sf_assets_tests.apart import shared

BODACC = BY_NAME["bodacc"]
A, B, OUTSIDE = "512345678", "812345678", "999345678"
NATURES = Path(label_tables.__file__).parent / "bodacc_natures.csv"
LIQUIDATION = "Jugement d'ouverture de liquidation judiciaire"
REDRESSEMENT = "Jugement d'ouverture d'une procédure de redressement judiciaire"
SAUVEGARDE = "Jugement d'ouverture d'une procédure de sauvegarde"

world = pytest.fixture(fresh_world, name="world")


# ---- records


def record(number: int, **changes: object) -> dict[str, object]:
    """Return a record of the open data set in the form of its API."""
    nature = changes.pop("nature", LIQUIDATION)
    judgment = {"type": "initial", "famille": "Jugement d'ouverture", "nature": nature, "date": "2024-03-04"}
    judgment |= {"complementJugement": 'Désigne ; « liquidateur » Me "X"'}
    return {
        "id": f"A20240050{number}",
        "dateparution": "2024-03-10",
        "typeavis": "annonce",
        "familleavis": "collective",
        "tribunal": "Greffe du Tribunal de Commerce d'Evry",
        "commercant": "ATELIER",
        "registre": [A, f"{A[:3]} {A[3:6]} {A[6:]}"],
        "listepersonnes": None,
        "jugement": json.dumps(judgment, ensure_ascii=False),
        "parutionavisprecedent": None,
    } | changes


def as_csv(records: list[dict[str, object]]) -> str:
    """Return records in the form of the CSV export: values of a list separated by commas."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(record(1)), delimiter=";", lineterminator="\n")
    writer.writeheader()
    for one in records:
        writer.writerow({k: ",".join(v) if isinstance(v, list) else v for k, v in one.items()})
    return text.getvalue()


def staged(*paths: Path, perimeter: tuple[str, ...] = (A, B)):
    """Return the staging rows, the counts and the quarantine of files."""
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute("create temp table perimeter as select unnest($1) as siren", [list(perimeter)])
        counts = read_source(connection, BODACC, paths)
        rows = connection.execute(query_of(BODACC)).pl().sort("id_annonce", "siren")
        return rows, counts, connection.execute("from quarantine order by line").pl()


def delivered(folder: Path, *records: dict[str, object]):
    path = folder / "bodacc_procedures.csv"
    path.write_text(as_csv(list(records)), encoding="utf-8")
    assert inspect(path, edition_of(BODACC, path)).fault is None
    rows, (count,), quarantine = staged(path)
    assert count.records == len(records) == count.accepted + count.filtered + count.quarantined
    return rows, count, quarantine


@pytest.mark.parametrize(
    "name",
    ["bodacc_procedures.csv", "bodacc_procedures.csv.gz", "annonces-commerciales.csv", "annonces-commerciales (1).json",
     "bodacc_procedures.json.gz"],
)  # fmt: skip
def test_an_export_is_known_by_its_name(name):
    assert source_of(name) is BODACC


def test_a_record_becomes_a_row_with_its_judgment(tmp_path):
    rows, count, quarantine = delivered(tmp_path, record(1))
    assert (count.accepted, quarantine.height) == (1, 0)
    assert rows.row(0, named=True) == {
        "siren": A,
        "id_annonce": "A202400501",
        "type_avis": "annonce",
        "date_parution": date(2024, 3, 10),
        "id_avis_precedent": None,
        "famille_jugement": "Jugement d'ouverture",
        "nature_jugement": LIQUIDATION,
        "complement_jugement": 'Désigne ; « liquidateur » Me "X"',
        "date_jugement": date(2024, 3, 4),
        "tribunal": "Greffe du Tribunal de Commerce d'Evry",
    }


@pytest.mark.parametrize(
    ("registre", "sirens"),
    [
        ("512 345 678", [A]),
        ("512345678,512 345 678", [A]),
        ("512\u00a0345\u00a0678", [A]),
        ("512345678,512 345 678,812345678,812 345 678", [A, B]),
        ('["512345678", "812 345 678"]', [A, B]),
        ("999345678,812345678", [B]),
    ],
)
def test_every_company_of_the_perimeter_that_an_announcement_names_has_a_row(tmp_path, registre, sirens):
    rows, _, _ = delivered(tmp_path, record(1, registre=registre))
    assert rows["siren"].to_list() == sirens


def test_a_record_outside_the_perimeter_is_filtered_and_a_wrong_one_quarantined(tmp_path):
    _, count, quarantine = delivered(
        tmp_path,
        record(1, registre=""),
        record(2, familleavis="radiation", jugement=None),
        record(3, registre=OUTSIDE),
        record(4, registre=f"{A},12345"),
        record(5, jugement="{no json"),
        record(6, jugement="[]"),
        record(7, typeavis="creation"),
        record(8, dateparution="10/03/2024"),
        record(9, nature="Jugement de clï¿½ture"),
        record(10, nature="Jugement d\ufffdautre chose"),
    )
    assert (count.accepted, count.filtered, count.quarantined) == (0, 3, 7)
    assert quarantine.select("line", "column").rows() == [
        (5, "registre"), (6, "jugement"), (7, "jugement"), (8, "typeavis"), (9, "dateparution"),
        (10, "jugement.nature"), (11, "jugement.nature"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2024-03-04", date(2024, 3, 4)), ("04/03/2024", date(2024, 3, 4)), ("4 mars 2024", date(2024, 3, 4)),
        ("1er février 2009", date(2009, 2, 1)), ("27\u00a0août\u00a02008", date(2008, 8, 27)),
        ("3 dÃ©cembre 2009", date(2009, 12, 3)), ("12 AOUT 2010", date(2010, 8, 12)),
        ("31 fevrier 2010", None), ("4 thermidor 2010", None), ("2024", None),
    ],
)  # fmt: skip
def test_dates_are_read_in_figures_and_words_and_a_wrong_one_quarantines_its_cell_only(tmp_path, written, day):
    judgment = json.dumps({"nature": LIQUIDATION, "date": written}, ensure_ascii=False)
    rows, count, quarantine = delivered(tmp_path, record(1, jugement=judgment), record(2, jugement='{"nature": "X"}'))
    assert rows["date_jugement"].to_list() == [day, None]
    assert (count.accepted, count.cells) == (2, int(day is None))
    assert quarantine["column"].to_list() == ["jugement.date"] * (day is None)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize("apostrophe", ["'", "’"])
def test_the_garbled_accents_of_every_known_nature_are_repaired_exactly(tmp_path, encoding, apostrophe):
    with NATURES.open(encoding="utf-8") as lines:
        natures = sorted({row["nature"] for row in csv.DictReader(lines)})
    garbled = [nature.replace("'", apostrophe).encode().decode(encoding) for nature in natures]
    assert garbled != natures
    rows, _, quarantine = delivered(tmp_path, *(record(n, nature=nature) for n, nature in enumerate(garbled, 100)))
    assert quarantine.height == 0
    assert rows["nature_jugement"].to_list() == natures


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_garbled_accents_are_repaired_in_every_text_that_rules_use(tmp_path, world, encoding):
    retracted = {
        "famille": "Rétractation sur tierce opposition",
        "nature": "Jugement",
        "complementJugement": "À l’ordonnance",
    }
    continued = {"famille": "Jugement", "nature": "Jugement de plan de redressement",
                 "complementJugement": "Arrête la continuation\u00a0de l’activité"}  # fmt: skip
    judgments = [json.dumps(one, ensure_ascii=False).encode().decode(encoding) for one in (retracted, continued)]
    rows, _, quarantine = delivered(
        tmp_path,
        record(1),
        record(2, jugement=judgments[0], dateparution="2024-03-20", parutionavisprecedent=BEFORE),
        record(3, jugement=judgments[1], registre=B),
    )
    assert quarantine.height == 0
    assert rows["famille_jugement"][1] == retracted["famille"]
    assert rows["complement_jugement"].to_list()[1:] == [
        retracted["complementJugement"],
        continued["complementJugement"],
    ]
    world.connection.register("read", rows)
    world.connection.execute("insert into stg_bodacc by name select * from read")
    assert world.rows("clean_bodacc", "id_annonce, date_retrait, stade_procol") == [
        ("A202400501", "2024-03-20", "ouverture"), ("A202400503", None, "plan_continuation"),
    ]  # fmt: skip


@pytest.mark.parametrize("member", ["famille", "complementJugement", "nature"])
@pytest.mark.parametrize("lost", ["R\ufffdtractation", "R\u0081tractation", "Rï¿½tractation", "RÃ tractation"])
def test_a_text_that_rules_use_and_that_cannot_be_repaired_is_quarantined(tmp_path, member, lost):
    _, count, quarantine = delivered(tmp_path, record(1, jugement=json.dumps({"nature": "Jugement"} | {member: lost})))
    assert (count.quarantined, quarantine["column"].to_list()) == (1, [f"jugement.{member}"])


def test_case_and_blanks_of_a_nature_are_ignored_and_an_unknown_one_is_stored(tmp_path):
    rows, _, _ = delivered(
        tmp_path, record(1, nature="jugement d'ouverture de  liquidation judiciaire"), record(2, nature="Autre")
    )
    assert rows["nature_jugement"].to_list() == [LIQUIDATION, "Autre"]


def test_a_correction_identifies_its_announcement_by_its_identifier(tmp_path):
    before = {"nomPublication": "BODACC A", "numeroParution": "20240050", "numeroAnnonce": "0001"}
    rows, _, _ = delivered(
        tmp_path, record(1), record(2, typeavis="rectificatif", parutionavisprecedent=json.dumps(before))
    )
    assert rows["id_avis_precedent"].to_list() == [None, rows["id_annonce"][0]]


TRADES = '{"personne": [{"nom": "A"}, {"inscriptionRM": {"numeroIdentificationRM": "812 345 678", "codeRM": "RM"}}]}'
ALONE = '{"personne": {"inscriptionRM": {"numeroIdentificationRM": "512 345 678"}}}'
UNREADABLE = '{"personne": {"inscriptionRM": {"numeroIdentificationRM": "51234567O"}}}'


@pytest.mark.parametrize(
    ("registre", "persons", "sirens", "refused"),
    [
        ("", ALONE, [A], 0),
        (None, TRADES, [B], 0),
        (A, TRADES, [A, B], 0),
        (A, ALONE, [A], 0),
        (OUTSIDE, ALONE, [A], 0),
        # An unreadable number quarantines its cell only when another cell names a company.
        (A, UNREADABLE, [A], 0),
        ("", UNREADABLE, [], 1),
        ("", "{no json", [], 1),
        ("", '{"personne": {"nonInscrit": "RCS non inscrit"}}', [], 0),
    ],
)
def test_a_company_in_the_trades_register_alone_has_a_row(tmp_path, registre, persons, sirens, refused):
    rows, count, quarantine = delivered(tmp_path, record(1, registre=registre, listepersonnes=persons))
    assert rows["siren"].to_list() == sirens
    assert (count.quarantined, count.filtered) == (refused, int(not sirens and not refused))
    assert quarantine.height == refused + count.cells == refused + (registre == A and persons == UNREADABLE)


BEFORE = json.dumps({"nomPublication": "BODACC A", "numeroParution": "20240050", "numeroAnnonce": "0001"})


@pytest.mark.parametrize(
    "changes",
    [
        {"registre": OUTSIDE},
        {"registre": None},
        {"registre": None, "familleavis": "divers", "jugement": None},
        {"familleavis": "retablissement_professionnel", "jugement": None},
    ],
)
def test_a_correction_is_loaded_whatever_company_it_names(tmp_path, world, changes):
    correction = record(2, typeavis="annulation", dateparution="2024-03-20", parutionavisprecedent=BEFORE, **changes)
    rows, count, _ = delivered(tmp_path, record(1), correction)
    assert count.accepted == 2
    assert rows.select("siren", "id_annonce", "id_avis_precedent", "nature_jugement").rows() == [
        (A, "A202400501", None, LIQUIDATION), (None, "A202400502", "A202400501", None),
    ]  # fmt: skip
    world.connection.register("read", rows)
    world.connection.execute("insert into stg_bodacc by name select * from read")
    assert world.rows("clean_bodacc", STANDS) == [("A202400501", "2024-03-10", "2024-03-20")]


@pytest.mark.parametrize(
    ("rows", "broken"),
    [
        ([(A, "A1", "annonce", None), (None, "A2", "annulation", "A1"), (B, "A1", "annonce", None)], set()),
        ([(A, "A1", "annonce", None), (A, "A1", "annonce", None)], {"key_unique"}),
        ([(None, "A1", "annulation", "A0"), (None, "A1", "annulation", "A0")], {"key_unique"}),
        ([(A, "A1", "rectificatif", None)], {"corrections_named"}),
        ([(None, "A1", "annonce", None)], {"corrections_named"}),
    ],
)
def test_a_company_is_once_in_an_announcement_and_a_correction_identifies_its_announcement(rows, broken):
    key = "unexpected_rows_query"
    queries = {rule.name: rule.arguments[key] for rule in STAGING["bodacc"].rules if key in rule.arguments}
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            "create table batch (month integer, siren varchar, id_annonce varchar, type_avis varchar, id_avis_precedent varchar)"
        )
        connection.executemany("insert into batch values (1, ?, ?, ?, ?)", rows)
        found = {name for name, query in queries.items() if connection.execute(query.format(batch="batch")).fetchall()}
    assert found == broken


def test_a_correction_that_cannot_be_read_is_quarantined_even_about_another_company(tmp_path):
    _, count, quarantine = delivered(tmp_path, record(1, registre=OUTSIDE, parutionavisprecedent="{no json"))
    assert (count.quarantined, quarantine["column"].to_list()) == (1, ["parutionavisprecedent"])


def test_an_announcement_exported_twice_counts_once(tmp_path):
    again = record(1, tribunal="Tribunal judiciaire")
    rows, count, quarantine = delivered(tmp_path, record(1), record(1), again)
    assert rows["tribunal"].to_list() == ["Tribunal judiciaire"]
    assert (count.accepted, count.filtered, count.quarantined) == (1, 0, 2)
    assert set(quarantine["expected"]) == {"one record per key"}
    assert delivered(tmp_path, again, again)[1].filtered == 1


@pytest.mark.parametrize("form", ["list", "page"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_the_json_of_the_api_gives_the_rows_of_the_csv(tmp_path, form, suffix, mark):
    records = [record(1), record(2, registre=[A, B]), record(3, registre=None), record(4, jugement="{no json")]
    rows, count, refused = delivered(tmp_path, *records)
    content = mark + json.dumps(records if form == "list" else {"total_count": 4, "results": records}).encode()
    path = tmp_path / f"bodacc_procedures.json{suffix}"
    path.write_bytes(gzip.compress(content) if suffix else content)
    assert inspect(path, edition_of(BODACC, path)).fault is None
    again, (other,), quarantine = staged(path)
    assert again.equals(rows)
    assert (other.accepted, other.filtered, other.quarantined) == (count.accepted, count.filtered, count.quarantined)
    assert quarantine.drop("file", "raw").equals(refused.drop("file", "raw"))


@pytest.mark.parametrize("content", ["[{}", "no json", "", '"text"', '[{"id": 1}, 2'])
def test_json_that_is_no_list_of_records_is_refused_without_showing_it(tmp_path, content):
    path = tmp_path / "bodacc_procedures.json"
    path.write_text(content)
    fault = inspect(path, edition_of(BODACC, path)).fault
    assert fault == f"{path.name}: expected a list of records in JSON, found a damaged file or another format"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ({"error_code": "InvalidRESTParameterError", "message": "Invalid value"}, "found an answer without results"),
        ({"total_count": 2, "results": [record(1)]}, "expected 2 results (total_count), found 1"),
        ({"total_count": 0, "results": [record(1)]}, "expected 0 results (total_count), found 1"),
        ({"results": [record(1)]}, "expected a number of results (total_count), found 1"),
        ({"total_count": 1, "results": record(1)}, "found an answer without results"),
        ([{"error": "quota"}], "expected familleavis, registre, id,"),
        ([1], "found a damaged file or another format"),
        ([[record(1)]], "found a damaged file or another format"),
        ({"total_count": 1, "results": ["x"]}, "found a damaged file or another format"),
    ],
)
def test_an_answer_that_is_not_the_whole_list_is_refused(tmp_path, content, fault):
    path = tmp_path / "bodacc_procedures.json"
    path.write_text(json.dumps(content))
    found = inspect(path, edition_of(BODACC, path)).fault
    assert fault in found
    assert A not in found


@pytest.mark.parametrize("records", [[record(1), record(2)], [{"results": [record(1)], "total_count": 1}] * 2])
def test_records_line_by_line_are_refused(tmp_path, records):
    path = tmp_path / "bodacc_procedures.json"
    path.write_text("\n".join(json.dumps(one) for one in records))
    assert "found 2 objects one after the other" in inspect(path, edition_of(BODACC, path)).fault


def test_a_page_of_the_api_is_accepted_when_it_holds_all_results(tmp_path):
    path = tmp_path / "bodacc_procedures.json"
    shutil.copy(shared("samples", "api_procedures_collectives_limit3.json"), path)
    assert "expected 69294 results (total_count), found 3" in inspect(path, edition_of(BODACC, path)).fault
    page = json.loads(path.read_text())
    path.write_text(json.dumps(page | {"total_count": 3}))
    assert inspect(path, edition_of(BODACC, path)).fault is None
    rows, (count,), _ = staged(path, perimeter=("837755701", "489032136", "802649921"))
    assert (count.records, count.accepted, rows.height) == (3, 3, 3)
    assert rows.filter(siren="802649921")["nature_jugement"].item() == REDRESSEMENT
    assert rows["date_jugement"].null_count() == 0


# ---- announcements in force

STG = "siren id_annonce type_avis date_parution id_avis_precedent nature_jugement date_jugement complement_jugement"


def announce(world: World, *rows: tuple[object, ...]) -> None:
    """Add announcements: siren, number, day of publication, nature, and optional values in the order of `STG`."""
    for siren, number, day, nature, *rest in rows:
        kind, before, judgment_day, complement = (*rest, *("annonce", None, day, None)[len(rest) :])
        world.add("stg_bodacc", STG, (siren, number, kind, day, before, nature, judgment_day, complement))


STANDS = "id_annonce, date_publication, date_retrait"


def test_a_rectification_replaces_the_announcement_it_refers_to(world):
    announce(
        world,
        (A, "A1", "2024-01-10", LIQUIDATION),
        (A, "A2", "2024-01-20", REDRESSEMENT, "rectificatif", "A1"),
        (A, "A3", "2024-02-20", SAUVEGARDE, "rectificatif", "A2"),
        (B, "A4", "2024-01-10", LIQUIDATION),
    )
    assert world.rows("clean_bodacc", STANDS) == [
        ("A1", "2024-01-10", "2024-01-20"),
        ("A2", "2024-01-20", "2024-02-20"),
        ("A3", "2024-02-20", None),
        ("A4", "2024-01-10", None),
    ]


@pytest.mark.parametrize("target", ["A1", "A2"])
def test_a_cancellation_removes_the_announcement_and_its_corrections(world, target):
    announce(
        world,
        (A, "A1", "2024-01-10", LIQUIDATION),
        (A, "A2", "2024-01-20", LIQUIDATION, "rectificatif", "A1"),
        (A, "A3", "2024-02-20", LIQUIDATION, "annulation", target),
    )
    assert world.rows("clean_bodacc", STANDS) == [
        ("A1", "2024-01-10", "2024-01-20"),
        ("A2", "2024-01-20", "2024-02-20"),
    ]


def test_the_retraction_of_a_judgment_is_a_cancellation(world):
    announce(world, (A, "A1", "2024-01-10", LIQUIDATION), (A, "A2", "2024-02-20", "Jugement", "annonce", "A1"))
    world.connection.execute(
        "update stg_bodacc set famille_jugement = 'Rétractation sur tierce opposition' where id_annonce = 'A2'"
    )
    assert world.rows("clean_bodacc", STANDS) == [("A1", "2024-01-10", "2024-02-20")]


def test_an_announcement_corrected_on_its_day_is_never_in_force(world):
    announce(world, (A, "A9", "2024-01-10", LIQUIDATION), (A, "A10", "2024-01-10", REDRESSEMENT, "rectificatif", "A9"))
    assert world.rows("clean_bodacc", STANDS) == [("A10", "2024-01-10", None)]


def test_corrections_of_missing_announcements_or_of_one_another_change_nothing(world):
    announce(
        world,
        (A, "A1", "2024-01-10", LIQUIDATION, "rectificatif", "A0"),
        (A, "A2", "2024-01-10", LIQUIDATION, "rectificatif", "A2"),
        (B, "A3", "2024-01-10", LIQUIDATION, "rectificatif", "A4"),
        (B, "A4", "2024-01-20", REDRESSEMENT, "rectificatif", "A3"),
        (B, "A5", "2024-01-20", LIQUIDATION, "annulation"),
    )
    assert world.rows("clean_bodacc", STANDS) == [
        ("A1", "2024-01-10", None), ("A2", "2024-01-10", None), ("A3", "2024-01-10", "2024-01-20"), ("A4", "2024-01-20", None),
    ]  # fmt: skip


def test_a_correction_applies_only_to_announcements_published_before_it(world):
    announce(
        world,
        (A, "A1", "2024-01-10", LIQUIDATION),
        (A, "A2", "2024-02-10", None, "annulation", "A3"),
        (A, "A3", "2024-03-10", REDRESSEMENT, "rectificatif", "A1"),
    )
    assert world.rows("clean_bodacc", STANDS) == [("A1", "2024-01-10", "2024-03-10"), ("A3", "2024-03-10", None)]


def test_equal_announcements_all_stay_whatever_is_corrected_later(world):
    announce(
        world,
        (A, "A1", "2024-01-20", LIQUIDATION, "annonce", None, "2024-01-05"),
        (A, "A2", "2024-01-12", LIQUIDATION, "annonce", None, "2024-01-05"),
        (B, "A1", "2024-01-20", LIQUIDATION, "annonce", None, "2024-01-05"),
    )
    before = world.rows("clean_bodacc", f"siren, {STANDS}")
    assert before == [(A, "A1", "2024-01-20", None), (A, "A2", "2024-01-12", None), (B, "A1", "2024-01-20", None)]
    world.build("clean_procol")
    assert world.rows("clean_procedure", "siren, date_publication, est_repetition") == [
        (A, "2024-01-12", False), (A, "2024-01-20", True), (B, "2024-01-20", False),
    ]  # fmt: skip
    # After the cancellation of the first, the second is known from its own day of publication.
    announce(world, (A, "A3", "2024-03-10", None, "annulation", "A2"))
    after = world.rows("clean_bodacc", f"siren, {STANDS}")
    assert after == [before[0], (A, "A2", "2024-01-12", "2024-03-10"), before[2]]


@pytest.mark.parametrize(
    ("judgment_day", "effect"),
    [("2024-01-05", "2024-01-05"), ("2022-01-10", "2022-01-10"), ("2022-01-09", "2024-01-10"), (None, "2024-01-10"),
     ("2024-01-11", "2024-01-10"), ("1024-01-05", "2024-01-10")],
)  # fmt: skip
def test_a_judgment_without_an_earlier_date_takes_effect_on_its_publication(world, judgment_day, effect):
    announce(world, (A, "A1", "2024-01-10", LIQUIDATION, "annonce", None, judgment_day))
    assert world.rows("clean_bodacc", "date_effet") == [(effect,)]


@pytest.mark.parametrize(
    ("nature", "complement", "found"),
    [
        (LIQUIDATION, None, ("liquidation_judiciaire", "liquidation", "ouverture", "Liquidation judiciaire")),
        (SAUVEGARDE, "x", ("sauvegarde", "sauvegarde", "ouverture", "Sauvegarde")),
        ("Autre jugement prononçant", "La LIQUIDATION judiciaire",
         ("liquidation_judiciaire", "liquidation", "ouverture", "Liquidation judiciaire")),
        ("Autre jugement prononçant", "Convertit la sauvegarde en redressement judiciaire",
         ("redressement_judiciaire", "redressement", "ouverture", "Redressement judiciaire")),
        ("Autre jugement prononçant", "une peine", (None, None, None, None)),
        ("Autre jugement prononçant", None, (None, None, None, None)),
        ("Jugement de plan de redressement", "Plan de continuation de l'activité",
         (None, "redressement", "plan_continuation", "Plan de redressement")),
        ("Jugement de clôture pour insuffisance d'actif", None,
         (None, "liquidation", "cloture_insuffisance_actif", "Liquidation judiciaire")),
        ("Jugement de clôture pour extinction du passif", None, (None, None, "fin_procedure", "In bonis")),
        ("Dépôt de l'état des créances", None, (None, None, None, None)),
    ],
)  # fmt: skip
def test_the_nature_then_the_complement_decide_the_meaning_of_a_judgment(world, nature, complement, found):
    announce(world, (A, "A1", "2024-01-10", nature, "annonce", None, "2024-01-10", complement))
    assert world.rows("clean_bodacc", "statut, action_procol, stade_procol, libelle_procol, est_connue") == [
        (*found, True)
    ]


def test_an_unknown_nature_is_reported_and_has_no_effect(world):
    announce(world, (A, "A1", "2024-01-10", "Jugement inconnu"), (B, "A2", "2024-01-10", None))
    assert world.rows("clean_bodacc", "statut, stade_procol, est_connue") == [(None, None, False), (None, None, True)]


def test_a_blacklisted_company_has_no_announcement(world):
    announce(world, (A, "A1", "2024-01-10", LIQUIDATION))
    world.blacklist(A)
    assert world.rows("clean_bodacc") == []


def test_the_table_of_natures_agrees_with_the_published_one():
    with shared("reference", "bodacc_natures.csv").open(encoding="utf-8") as lines:
        published = [(r["nature"], r["complement_contains"] or "*", r["statut"]) for r in csv.DictReader(lines)]
    with NATURES.open(encoding="utf-8") as lines:
        ours = [(r["nature"], r["complement"], r["statut"].replace("aucun", "")) for r in csv.DictReader(lines)]
    assert ours[: len(published)] == published


def test_the_natures_of_real_judgments_are_all_known(tmp_path):
    with shared("samples", "grands_plans_1y.csv").open(encoding="utf-8") as lines:
        natures = sorted({row["NATURE"] for row in csv.DictReader(lines)})
    rows, _, _ = delivered(tmp_path, *(record(n, nature=nature) for n, nature in enumerate(natures, 1)))
    with NATURES.open(encoding="utf-8") as lines:
        assert set(rows["nature_jugement"]) <= {row["nature"] for row in csv.DictReader(lines)}


# ---- one history of procedures

PROCOL = "siret date_effet action_procol stade_procol"
TOLD = "source, date_effet, date_publication, action_procol, stade_procol"


def history(world: World, columns: str) -> list[tuple[object, ...]]:
    """Return the steps without repetitions."""
    for name in ("clean_procol", "clean_bodacc"):
        world.build(name)
    steps = world.rows("clean_procedure", f"est_repetition, {columns}")
    return [tuple(row) for repetition, *row in steps if not repetition]


def urssaf(world: World, *steps: tuple[object, ...]) -> None:
    world.add("stg_procol", PROCOL, *((f"{A}00011", *step) for step in steps))


@pytest.mark.parametrize(("day", "sources"), [("2024-03-31", 1), ("2024-04-01", 2), ("2024-01-31", 1)])
def test_a_procedure_in_both_sources_within_thirty_days_counts_once(world, day, sources):
    announce(world, (A, "A1", "2024-03-10", LIQUIDATION, "annonce", None, "2024-03-01"))
    urssaf(world, (day, "liquidation", "ouverture"))
    assert len(history(world, "source")) == sources


def test_of_a_procedure_in_both_sources_the_first_published_stays(world):
    announce(world, (A, "A1", "2024-03-10", LIQUIDATION, "annonce", None, "2024-03-01"))
    urssaf(world, ("2024-03-04", "liquidation", "ouverture"))
    assert history(world, TOLD) == [("bodacc", "2024-03-01", "2024-03-10", "liquidation", "ouverture")]
    world.connection.execute("update stg_bodacc set date_parution = date '2024-06-10'")
    assert history(world, TOLD) == [("urssaf", "2024-03-04", "2024-04-03", "liquidation", "ouverture")]


def test_steps_of_another_kind_or_closing_steps_are_not_merged_and_all_steps_of_urssaf_stay(world):
    announce(world, (A, "A1", "2024-03-10", LIQUIDATION, "annonce", None, "2024-03-01"))
    urssaf(
        world,
        ("2024-03-01", "redressement", "ouverture"), ("2024-03-05", "redressement", "ouverture"),
        ("2024-03-01", "redressement", "inclusion_autre_procedure"), ("2024-03-02", "liquidation", "fin_procedure"),
        ("2024-03-03", "liquidation", "inclusion_autre_procedure"),
    )  # fmt: skip
    assert len(history(world, "source")) == 6


def test_a_cancelled_announcement_hides_no_step(world):
    announce(
        world,
        (A, "A1", "2024-03-10", LIQUIDATION, "annonce", None, "2024-03-01"),
        (A, "A2", "2024-05-10", LIQUIDATION, "annulation", "A1"),
    )
    urssaf(world, ("2024-03-04", "liquidation", "ouverture"))
    assert history(world, "source, date_publication, date_retrait") == [
        ("bodacc", "2024-03-10", "2024-05-10"),
        ("urssaf", "2024-04-03", None),
    ]
    assert world.rows("clean_procedure_episode", "source, date_debut, date_fin") == [("urssaf", "2024-03-04", None)]


def test_a_closing_without_a_kind_ends_all_procedures_of_the_company(world):
    urssaf(world, ("2023-03-01", "redressement", "ouverture"), ("2023-09-01", "liquidation", "ouverture"))
    announce(
        world,
        (A, "A1", "2024-03-10", "Jugement de clôture pour extinction du passif"),
        (B, "A2", "2024-03-10", "Jugement de clôture pour extinction du passif"),
    )
    history(world, "*")
    assert world.rows("clean_procedure_episode", "siren, action_procol, date_fin") == [
        (A, "liquidation", "2024-03-10"),
        (A, "redressement", "2024-03-10"),
    ]


def test_without_bodacc_the_history_and_its_stretches_are_urssafs(world):
    world.connection.execute("""
        insert into stg_procol by name
        select
            '40000000' || draw(i, 1, 8) || '00011' as siret,
            make_date(2004 + draw(i, 2, 21), 1 + draw(i, 3, 12), [1, 2, 15, 28][1 + draw(i, 4, 4)]) as date_effet,
            ['liquidation', 'redressement', 'sauvegarde', null][1 + draw(i, 5, 4)] as action_procol,
            ['ouverture', 'plan_continuation', 'fin_procedure', 'inclusion_autre_procedure', 'abandon_procedure',
                null][1 + draw(i, 6, 6)] as stade_procol
        from range(120) as r (i)
    """)
    steps = "siren, date_effet, action_procol, stade_procol, libelle_procol"
    assert history(world, steps) == world.rows("clean_procol", steps)
    stretches = "siren, action_procol, stade_procol, libelle_procol, date_debut, date_fin"
    found = world.rows("clean_procedure_episode", stretches)
    assert len(found) > 50
    assert found == world.rows("clean_procol_episode", stretches)


# ---- features of procedures

BATCH, MONTH = date(2024, 6, 1), date(2023, 3, 1)
CUTOFF = cutoff_of(MONTH)


@pytest.fixture(scope="module")
def delivery(tmp_path_factory):
    """A small synthetic batch with its clean tables and the features of `MONTH`, as a database file that tests copy."""
    staged = plain.staged_world(tmp_path_factory.mktemp("bodacc"), BATCH, companies=400)
    with plain.connect(staged) as connection:
        label_tables.load(connection)
        known(connection)
    return staged


@pytest.fixture
def copy(delivery, tmp_path):
    with plain.copied(delivery, tmp_path) as connection:
        yield connection


def known(connection, month=MONTH):
    """Return the features of procedures of a month, and the whole matrix."""
    plain.clean(connection, BATCH)
    plain.features(connection, month, month)
    return stored(connection)


def stored(connection):
    """Return the same as they were computed last."""
    procedures = connection.execute("select siren, procedure_connue from feat_company_month order by siren").fetchall()
    return procedures, connection.execute("from feat_matrix order by siren").fetchall()


def test_only_announcements_published_before_the_cutoff_change_features(copy):
    # URSSAF delivers most of the same procedures: BODACC's own effect shows only without them.
    copy.execute("delete from stg_procol")
    before = known(copy)
    assert copy.execute("delete from stg_bodacc where date_parution > $1", [CUTOFF]).fetchone()[0] > 0
    assert known(copy) == before
    copy.execute("delete from stg_bodacc")
    assert known(copy) != before


def test_rewriting_announcements_changes_features_only_when_they_are_known_at_the_cutoff(copy):
    before = stored(copy)
    rewriting = f"update stg_bodacc set nature_jugement = '{SAUVEGARDE.replace(chr(39), chr(39) * 2)}'"
    copy.execute(f"{rewriting}, date_jugement = date '2023-01-05' where date_parution > $1", [CUTOFF])
    assert known(copy) == before
    copy.execute(f"{rewriting} where date_parution <= $1", [CUTOFF])
    assert known(copy) != before


def test_a_judgment_is_known_from_its_publication_until_its_cancellation(copy):
    free = [siren for siren, procedure in stored(copy)[0] if procedure is None]
    siren = free[0]
    columns = STG.replace(" ", ", ").replace(", complement_jugement", "")
    copy.executemany(
        f"insert into stg_bodacc ({columns}) values (?, ?, ?, ?, ?, ?, ?)",
        [
            (siren, "A1", "annonce", date(2023, 3, 31), None, LIQUIDATION, date(2023, 2, 20)),
            (siren, "A2", "annulation", date(2023, 4, 30), "A1", None, None),
        ],
    )
    plain.clean(copy, BATCH)
    plain.features(copy, date(2023, 2, 1), date(2023, 4, 1))
    found = copy.execute("select procedure_connue from feat_company_month where siren = $1 order by month", [siren])
    assert found.fetchall() == [(None,), ("Liquidation judiciaire",), (None,)]


def test_the_synthetic_bulletin_agrees_with_urssaf_and_has_every_kind_of_mistake(copy):
    counts = dict(copy.execute("select type_avis, count(*) from stg_bodacc group by all").fetchall())
    assert counts.keys() == {"annonce", "rectificatif", "annulation"}
    assert counts["annonce"] > 10 * (counts["rectificatif"] + counts["annulation"])
    both, alone = copy.execute("""
        select count(*) filter (u.siren is not null), count(*) filter (u.siren is null)
        from clean_bodacc as b
        left join (select distinct siren, date_effet, action_procol, stade_procol from clean_procol) as u
            using (siren, date_effet, action_procol, stade_procol)
        where b.date_retrait is null
    """).fetchone()
    assert both > 5 * alone
    assert copy.execute("select count(*) from clean_bodacc where not est_connue").fetchone() == (0,)


@pytest.mark.parametrize("month", [date(2021, 9, 1), MONTH])
def test_a_month_knows_only_announcements_and_corrections_published_before_its_cutoff(copy, month):
    copy.execute("create temp macro draw(seed, rank, n) as cast(hash(seed || '/' || rank) % n as integer)")
    copy.execute("delete from stg_bodacc")
    copy.execute("""
        insert into stg_bodacc by name
        with companies as (select siren, row_number() over (order by siren) as n from stg_filter_import)
        select
            siren, 'A' || i as id_annonce,
            date '2019-01-01' + draw(i, 1, 1700) as date_parution, date_parution - draw(i, 2, 40) as date_jugement,
            if(draw(i, 3, 3) > 0, 'annonce', if(draw(i, 4, 2) = 0, 'rectificatif', 'annulation')) as type_avis,
            if(type_avis = 'annonce', null, 'A' || (i - 60 * (1 + draw(i, 5, 4)))) as id_avis_precedent,
            (select list(nature order by rang) from bodacc_natures where stade <> 'aucun')[1 + draw(i, 6, 50)]
                as nature_jugement
        from range(600) as r (i) join companies on n = 1 + i % 60
    """)
    before = known(copy, month)
    for table, published in (("stg_bodacc", "date_parution"), ("stg_procol", plain.known_from()["stg_procol"])):
        assert copy.execute(f"delete from {table} where {published} > $1", [cutoff_of(month)]).fetchone()[0] > 0
    assert known(copy, month) == before
    assert len({procedure for _, procedure in before[0]}) > 4
