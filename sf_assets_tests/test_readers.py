"""The readers of cells: accepted and refused spellings, one table per reader, then typing errors of one character."""

import re
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from itertools import product
from typing import get_args

import duckdb
import pytest

from sf_assets.sources.description import Reader
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.corrections import BadCorrection, apply_corrections
from sf_assets.staging.reading import READERS, read_source

NBSP, THIN, NARROW = "\u00a0", "\u2009", "\u202f"
# Texts that DuckDB's casts accept and that no producer means: exponents and bases of integers, underscores, blanks, words.
NO_INTEGER = ["1e3", "1E3", "0x10", "0b1", "1_000", " 1", "1 ", "1\n", "\t1", "1.0", "1.5", ".5", "1,0", "--1", "+", "-",
    "inf", "\u0661",
              "99999999999"]  # fmt: skip
NO_NUMBER = ["nan", "NaN", "inf", "-inf", "Infinity", "1_000", "1e1_0", "0x1p3", "0x10", " 1", "1 ", "1\n", "1 000",
    f"1{NBSP}000",
             "1e", "1e+", "e5", ".", "-", "+-1", "1-", "1.2.3", "1d", "1f", "1 %", "\u0661", "1e15", "1e400"]  # fmt: skip
NO_DATE = ["2024-02-1O", "2024-02-l0", "2024-0l-10", "2024-02-1 ", "2024-02-1-", "2024-02-1\u00e9", "2024-02-1", "2024-2-01",
    "2024-02-30",
           "2023-02-29", "0000-01-01", "-024-02-01", "2024-13-01", "2024-02-00", "2024-02-010", "2024-02-01 ", " 2024-02-01",
           "2024-02-01T00:00", "2024-02-01 00:00:00", "2024/02/01", "2024 02 01", "2024\\02\\01", "24-02-01", "epoch",
               "infinity",
           "today", "now", "\u0662024-02-01", "2024-02-1\u0308", "2024\u201102\u201101"]  # fmt: skip
NO_FRENCH_DATE = ["3l/12/2024", "1O/02/2024", "O1/02/2024", "01/O2/2024", "01/02/2O24", "01/02/024 ", "1 /02/2024",
    "1-/02/2024", "1/2/2024",
                  "31/02/2024", "01/02/0000", "01/02/24", "01-02-2024", "01/02/2024 ", " 01/02/2024",
                      "1\u0308/02/2024"]  # fmt: skip

ACCEPTED: dict[str, dict[str, str]] = {
    "text": {" a ": " a ", "NULL": "NULL", "nan": "nan"},
    "accents": {"clôture": "clôture", "CHÂTEAU de SÃO": "CHÂTEAU de SÃO", "clÃ´ture d’actif": "clôture d’actif",
        "l\u0092actif": "l’actif",
                "dâ€™Å“uvre Ã‰tÃ©": "d’œuvre Été",
                    "procÃ\u00a9dure": "procÃ\u00a9dure".encode("latin-1").decode(), "clã´ture": "clôture",
                    "clÃƒÂ´ture": "clôture"},
    "sans_blancs": {"512 345 678": "512345678", f"512{NBSP}345{NARROW}678{THIN}": "512345678"},
    "entier": {"12": "12", "-3": "-3", "+4": "4", "007": "7", "2147483647": "2147483647"},
    "decimal_point": {"1.5": "1.5", "-1": "-1.0", "+.5": "0.5", "1.": "1.0", "1e3": "1000.0", "1.5E-1": "0.15"},
    "decimal_virgule": {"1,5": "1.5", "1.5": "1.5", "-0,25": "-0.25", "1e3": "1000.0"},
    "pourcentage": {"75,5": "75.5", "75.5": "75.5", "75,5 %": "75.5", f"75{NBSP}%": "75.0", f"5{NARROW}%": "5.0",
        "100%": "100.0"},
    "entier_tronque": {"3.9": "3", "-4.9": "-4", "12": "12", "1e2": "100"},
    "booleen": dict.fromkeys(["1", "t", "T", "TRUE", "true", "True"], "true")
    | dict.fromkeys(["0", "f", "F", "FALSE", "false", "False"], "false"),
    "oui_non": {"Oui": "true", "Non": "false"},
    "date_iso": {"2024-02-29": "2024-02-29", "0019-01-31": "0019-01-31", "9999-12-31": "9999-12-31"},
    "date_fr": {"29/02/2024": "2024-02-29", "31/12/2024": "2024-12-31"},
    "date_compacte": {"2024-02-29": "2024-02-29", "20240229": "2024-02-29"},
    "date_urssaf": {"1240229": "2024-02-29", "990612": "1999-06-12", "9990101": "2899-01-01"},
    "date_procol": {"29FEB2024": "2024-02-29", "04oct2017": "2017-10-04"},
    "date_abregee": {"29FEB2024": "2024-02-29", "29FÉV2024": "2024-02-29", "29FE\u0301V2024": "2024-02-29",
        "30JUIN2013": "2013-06-30"},
    "date_bodacc": {"2024-02-29": "2024-02-29", "29/02/2024": "2024-02-29", "1er mars 2024": "2024-03-01",
        f"9{NBSP}août 2024": "2024-08-09"},
    "date_cloture": {"2024-02-29": "2024-02-29", "20240229": "2024-02-29"},
    "periode_debut": {"202412": "2024-02-01", "2462": "2024-01-01", "2430": "2024-07-01"},
    "periode_fin": {"202412": "2024-03-01", "2462": "2025-01-01", "2430": "2024-10-01"},
    "motif": {"1": "1", "7": "7"},
    "centimes": {"125000": "1250.0", "-5": "-0.05"},
    "ape": {"62.01Z": "62.01Z"},
    "nomenclature": {"NAFRev2": "NAFRev2", "NAF2025": "NAF2025", "NAFRev2025": "NAF2025", "NAP": "inconnue"},
    "code_commune": {"01004": "01004", "2A004": "2A004"},
    "code_postal": {"01000": "01000"},
    "indrep": {"B": "BIS", "C": "QUINQUIES"},
    "type_voie": {"AV": "AVENUE"},
    "etat_actif": {"A": "true", "F": "false", "": "false", "a": "false"},
    "effectif": {"12": "12", "1 204": "1204", f"1{NARROW}204": "1204", "12.0": "12", "12,00": "12"},
    "sirens": {"512 345 678": "512345678", "812345678,512345678": "512345678,812345678", '["512345678"]': "512345678"},
    "objet": {'{"a": 1}': '{"a": 1}'},
    "type_avis": {"annonce": "annonce", "annulation": "annulation"},
    "nature": {"jugement d'ouverture de liquidation judiciaire": "Jugement d'ouverture de liquidation judiciaire",
        "Autre": "Autre"},
    "montant": {"1,5": "1.5", "-999999999999": "-999999999999.0"},
    "ratio": {"1,5": "1.5", "-999999": "-999999.0"},
    "destinataire": {"codefi-21": "codefi-21", "a.martin@dgfip.gouv.fr": "a.martin@dgfip.gouv.fr", "9": "9"},
    "zones": {zones: zones for zones in ("21", "2A 974", "R27 69", "national")},
    "lot": {"2510": "2510", "9901": "9901"},
    "tranche": {"00": "0", "01": "1", "11": "10", "53": "10000"},
    "utilite": {text: text for text in ("Utile", "Déjà connue", "Alerte erronée", "Hors de notre ressort")},
    "cle_age": {"age1" + "q" * 58: "age1" + "q" * 58},
    "droits": {rights: rights for rights in ("score", "score urssaf dgefp bdf pge dgfip")},
}  # fmt: skip

REFUSED: dict[str, list[str]] = {
    "text": [""],
    "accents": ["cl\ufffdture", "clï¿½ture", "Ã", "pÃ la", "\u0081", ""],
    "sans_blancs": ["", "   "],
    "entier": NO_INTEGER,
    "decimal_point": [*NO_NUMBER, "1,5"],
    "decimal_virgule": [*NO_NUMBER, "1.234,5"],
    "pourcentage": [*(text for text in NO_NUMBER if text != "1 %"), "%", "1 %%", "% 1", "1\n%"],
    "entier_tronque": [*NO_NUMBER, "1,5", "99999999999"],
    "booleen": ["yes", "no", "y", "n", "on", "oui", "vrai", "tRUE", "true ", " 1", "1.0", "2", "-1", ""],
    "oui_non": ["oui", "OUI", "Oui ", "1", "true"],
    "date_iso": NO_DATE,
    "date_fr": [*NO_FRENCH_DATE, "2024-02-01"],
    "date_compacte": [*NO_DATE, "2024021O", "2024021", "202402011", "20240230", "00000101", "2024 0201"],
    "date_urssaf": ["124022O", "12402 9", "12a0101", "1240230", "1240200", "124 229", "+124022", "1240229.0", "1e6", "1240",
        "12402291"],
    "date_procol": ["2gFEB2024", "29FEB2O24", "9 FEB2024", "9FEB2024", "29FEV2024", "30FEB2024", "01JAN0000", "29FEB2024 "],
    "date_abregee": ["1\u03082JAN2020", "2gFEB2024", "29FEB2O24", "1 JAN2020", "30JUI2013", "30FEV2013", "01JAN0000"],
    "date_bodacc": [*NO_DATE, *NO_FRENCH_DATE, "1O mars 2024", "l mars 2024", "2er mars 2024", "0 mars 2024",
        "31 avril 2024", "1 mars 2O24",
                    "1 mars 0000", "mars 2024", "1\u0308 mars 2024"],
    "date_cloture": [*NO_DATE, "1989-12-31", "2100-01-01", "2024021O"],
    "periode_debut": ["20241O", "2024 1", "20241", "2O2412", "24-1", "24A1", "000011", "1e10", ""],
    "periode_fin": ["20241O", "2024 1", "20241", "2O2412", "24-1", "24A1", "000011", "1e10", ""],
    "motif": ["0", "8", "1.0", "01", "1e0", " 1", "A"],
    "centimes": [*NO_NUMBER, "1,5"],
    "ape": ["6201Z", "62.01z", "62,01Z", "O2.01Z", "62.01", " 62.01Z", "[ND]"],
    "nomenclature": [""],
    "code_commune": ["1004", "2C004", "2a004", "O1004", "01004 ", "[ND]"],
    "code_postal": ["1000", "O1000", "01 000", "1e004", "[ND]"],
    "indrep": ["BIS", "b", "D", ""],
    "type_voie": ["avenue ", "INCONNU", ""],
    "etat_actif": [],
    "effectif": ["-3", "+3", "abc", "12.5", "1  2", "1e3", "0x1", "1_0", "1O", "12.0.0", " 12", "nan", "99999999999"],
    "sirens": ["51234567", "5123456789", "512345678 812345678", "51234567O", "512345678,12", ",", ""],
    "objet": ["[]", "{no json", "1", '"a"', '{"a": 1} x', ""],
    "type_avis": ["Annonce", "creation", ""],
    "nature": ["", "Jugement de clï¿½ture"],
    "montant": [*NO_NUMBER, "1e12", "-1e12"],
    "ratio": [*NO_NUMBER, "1e6", "-1e6"],
    "destinataire": ["", ".", "..", "a/b", "../a", "A", "é", "a b", "-a", "a" * 65],
    "zones": ["", "1", "20", "R1", "R99", "21,58", "21  58", " 21", "National", "national 21", "r27"],
    "lot": ["", "2513", "2500", "251", "202510", "10/25", "octobre"],
    "tranche": ["", "NN", "0", "04", "11 ", "54", "1 ou 2"],
    "utilite": ["", "utile", "Utile ", "Deja connue", "oui"],
    "cle_age": ["", "age1", "AGE1" + "Q" * 58, "age1" + "q" * 57, "age1" + "b" * 58, "ssh-ed25519 AAAA"],
    "droits": ["", "Score", "score,urssaf", "score  urssaf", "tout"],
}  # fmt: skip


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute(READERS)
        for name in ("known_codes", "known_spellings"):
            connection.execute(files("sf_assets.staging").joinpath(f"{name}.sql").read_text(encoding="utf-8"))
        yield connection


def read(connection: duckdb.DuckDBPyConnection, reader: str, texts: list[str]) -> list[str | None]:
    rows = connection.execute(
        f"select read_{reader}(text)::varchar from (select unnest($1) as text, generate_subscripts($1, 1) as n) order by n",
        [texts],
    ).fetchall()
    return [value for (value,) in rows]


def test_every_reader_has_a_table_of_spellings_and_sources_use_no_other_reader():
    used = {cell.reader for source in BY_NAME.values() for form in (source, *source.editions) for cell in form.cells}
    assert ACCEPTED.keys() == REFUSED.keys() == set(get_args(Reader))
    assert used <= ACCEPTED.keys()


@pytest.mark.parametrize("reader", ACCEPTED)
def test_a_reader_accepts_the_spellings_of_its_table_only(connection, reader):
    accepted = ACCEPTED[reader]
    assert dict(zip(accepted, read(connection, reader, list(accepted)), strict=True)) == accepted
    refused = REFUSED[reader]
    if refused:
        assert dict(zip(refused, read(connection, reader, refused), strict=True)) == dict.fromkeys(refused)


# ---- typing errors of one character


def day(year: str, month: str, of_month: str) -> str | None:
    try:
        return date(int(year), int(month), int(of_month)).isoformat()
    except ValueError:
        return None


def iso(text: str) -> str | None:
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text)
    return day(*match.groups()) if match else None


def french(text: str) -> str | None:
    match = re.fullmatch(r"([0-9]{2})/([0-9]{2})/([0-9]{4})", text)
    return day(*reversed(match.groups())) if match else None


def compact(text: str) -> str | None:
    match = re.fullmatch(r"([0-9]{4})([0-9]{2})([0-9]{2})", text)
    return day(*match.groups()) if match else iso(text)


def urssaf(text: str) -> str | None:
    return compact(f"{int(text) + 19000000:08}") if re.fullmatch("[0-9]{5,7}", text) else None


MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def english(text: str) -> str | None:
    match = re.fullmatch("([0-9]{2})([A-Za-z]{3})([0-9]{4})", text)
    if not match or match[2].lower() not in MONTHS:
        return None
    return day(match[3], str(MONTHS.index(match[2].lower()) + 1), match[1])


def whole(text: str) -> str | None:
    return str(int(text)) if re.fullmatch("[+-]?[0-9]+", text) and abs(int(text)) < 2**31 else None


def real(text: str) -> str | None:
    well_formed = re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text)
    return repr(float(text)) if well_formed and abs(float(text)) < 1e15 else None


ODD = ["O", "l", "o", "I", " ", NBSP, "\t", "\n", "\r", ".", ",", "-", "+", "/", "\\", ":", "_", "e", "E", "x", "T",
    "\u0661", "\u00b2", "\u0308", "é", "0", "3",
       "9"]  # fmt: skip


def slips(text: str) -> list[str]:
    """Return the texts that differ by one character: replaced, added or removed; and by two among digits."""
    places = range(len(text))
    replaced = [text[:at] + odd + text[at + 1 :] for at, odd in product(places, ODD)]
    inserted = [text[:at] + odd + text[at:] for at, odd in product(range(len(text) + 1), ODD)]
    return list(dict.fromkeys([*replaced, *inserted, *(text[:at] + text[at + 1 :] for at in places)]))


@pytest.mark.parametrize(
    ("reader", "text", "oracle"),
    [
        ("date_iso", "2024-12-10", iso),
        ("date_fr", "10/12/2024", french),
        ("date_compacte", "20241210", compact),
        ("date_compacte", "2024-12-10", compact),
        ("date_urssaf", "1241210", urssaf),
        ("date_procol", "10DEC2024", english),
        ("entier", "-1204", whole),
        ("decimal_point", "-12.50", real),
        ("decimal_point", "1e-05", real),
    ],
)
def test_no_typing_error_of_one_character_becomes_another_value(
    connection, reader, text, oracle: Callable[[str], str | None]
):
    texts = slips(text)
    expected = [oracle(text) for text in texts]
    found = read(connection, reader, texts)
    if reader == "decimal_point":
        found = [value and repr(float(value)) for value in found]
    assert [row for row in zip(texts, found, expected, strict=True) if row[1] != row[2]] == []
    assert any(expected)


def test_the_look_up_tables_of_codes_agree_with_their_readers(connection):
    wrong = connection.execute(
        """
        select code from known_days where read_date_urssaf(code) is distinct from date_urssaf
        union all
        select code from known_periods
        where read_periode_debut(code) is distinct from periode_debut or read_periode_fin(code) is distinct from periode_fin
        """
    ).fetchall()
    assert wrong == []


@pytest.mark.parametrize("line", ["2e0", "2.0", " 2", "0x2", "2_", "1.5"])
def test_the_line_number_in_a_correction_is_read_strictly(tmp_path, line):
    header = "ID_DA,ETAB_SIRET,HEURES,MONTANTS,EFFECTIFS,MOIS"
    (tmp_path / "corrections").mkdir()
    original, correction = tmp_path / "consommation_ap.csv", tmp_path / "corrections" / "consommation_ap.csv"
    original.write_text(f"{header}\nA,51234567800019,1,1,1,2024-02-1O\n")

    def corrected(text: str) -> int:
        correction.write_text(f"ligne,{header}\n{text},A,51234567800019,1,1,1,2024-02-10\n")
        with duckdb.connect(config={"threads": 1}) as connection:
            label_tables.load(connection)
            connection.execute("create temp table perimeter as select '512345678' as siren")
            counts = read_source(connection, BY_NAME["apconso"], [original, correction], ["delivered", "correction"])
            return apply_corrections(connection, counts, {"correction": "delivered"})[1].corrected

    assert corrected("2") == 1
    with pytest.raises(BadCorrection, match="expected in the column ligne"):
        corrected(line)
