"""Reading: encodings of dates and periods, cells, quotes, and where each record ends up."""

import gzip
import re
from itertools import product

import duckdb
import pytest

from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.reading import READERS, read_source
from sf_assets.staging.records import read_records
from sf_assets.staging.tables import query_of

SIRET = "51234567800019"
ID = SIRET[:9]


@pytest.fixture
def connection():
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute("create temp table perimeter as select $1 as siren", [ID])
        connection.execute(READERS)
        yield connection


@pytest.fixture
def read(connection, tmp_path):
    """Write a file of a source and read it; return its staging rows and its count."""

    def read(source, *lines, name=None):
        described = BY_NAME[source]
        path = tmp_path / (name or (described.names[0] if described.names else "filter.csv"))
        path.write_bytes("\n".join(lines).encode())
        (count,) = read_source(connection, described, [path])
        return connection.execute(query_of(described)).fetchall(), count

    return read


def _quarantine(connection):
    return connection.execute('select line, level, "column", found, raw from quarantine order by line').fetchall()


def _value(connection, expression):
    return connection.execute(f"select {expression}::varchar").fetchone()[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1240321", "2024-03-21"),
        ("990612", "1999-06-12"),
        ("0990612", "1999-06-12"),
        ("1240230", None),
        ("", None),
        ("9990101", "2899-01-01"),
        ("12a0101", None),
    ],
)
def test_urssaf_dates_of_section_3_1(connection, text, expected):
    assert _value(connection, f"read_date_urssaf('{text}')") == expected


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2462", "2024-01-01", "2025-01-01"),
        ("202462", "2024-01-01", "2025-01-01"),
        ("2430", "2024-07-01", "2024-10-01"),
        ("202412", "2024-02-01", "2024-03-01"),  # trap 1: quarter 1, month 2
        ("2443", "2024-12-01", "2025-01-01"),
        ("7511", "1975-01-01", "1975-02-01"),  # trap 20
        ("4911", "2049-01-01", "2049-02-01"),
        ("202401", "2023-10-01", "2023-11-01"),  # out of range, rolls over
        ("20245", None, None),
        ("24A1", None, None),
        ("", None, None),
    ],
)
def test_urssaf_periods_of_section_3_2(connection, text, start, end):
    assert _value(connection, f"read_periode_debut('{text}')") == start
    assert _value(connection, f"read_periode_fin('{text}')") == end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("26MAY2014", "2014-05-26"),
        ("04oct2017", "2017-10-04"),
        ("4OCT2017", None),
        ("05FEV2020", None),
        ("05AOU2020", None),
    ],
)
def test_procol_dates_are_english_trap_19(connection, text, expected):
    assert _value(connection, f"read_date_procol('{text}')") == expected


@pytest.mark.parametrize("text", ["1/2/2024", "31/02/2024", "2024-02-01", "01/02/2024 "])
def test_french_dates_are_strict_trap_8(connection, text):
    assert _value(connection, f"read_date_fr('{text}')") is None


@pytest.mark.parametrize("text", ["2024-1-2", "2024-02-30", "2024/02/01", "2024-02-01 "])
def test_iso_dates_are_strict_trap_8(connection, text):
    assert _value(connection, f"read_date_iso('{text}')") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", "12"), ("1 204", "1204"), ("1\u202f204", "1204"), ("1\u00a0204", "1204"), ("12.0", "12"), ("12,0", "12"),
        ("0", "0"), ("-3", None), ("abc", None), ("12.5", None), ("1  204", None),
    ],
)  # fmt: skip
def test_headcounts_of_decision_b4(connection, text, expected):  # trap 9
    assert _value(connection, f"read_effectif('{text}')") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("read_entier_tronque('3.9')", "3"),  # trap 10
        ("read_entier_tronque('-4.9')", "-4"),
        ("read_decimal_point('1 234')", None),
        ("read_decimal_point('12,5')", None),
        ("read_decimal_point('nan')", None),
        ("read_decimal_virgule('1520,75')", "1520.75"),
        ("read_decimal_virgule('1 520,75')", None),
        ("read_centimes('125000')", "1250.0"),  # trap 2
        ("read_motif('7')", "7"),
        ("read_motif('1.0')", None),
        ("read_motif('8')", None),
        ("read_booleen('')", None),
    ],
)
def test_numbers_of_section_2_3(connection, expression, expected):
    assert _value(connection, expression) == expected


APCONSO = "ID_DA,ETAB_SIRET,HEURES,MONTANTS,EFFECTIFS,MOIS"


def test_a_number_has_one_sign_digits_one_point_and_an_exponent_and_nothing_else(connection):
    # Every text of up to five of the characters that the reader passes on to DuckDB's cast.
    texts = ["".join(text) for length in range(1, 6) for text in product("+-09.eE", repeat=length)]
    read = _read_all(connection, texts)
    wellformed = re.compile(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?")
    assert read == {text for text in texts if wellformed.fullmatch(text) and abs(float(text)) < 1e15}


def _read_all(connection, texts):
    rows = connection.execute(
        "select text from (select unnest($1) as text) where read_decimal_point(text) is not null", [texts]
    ).fetchall()
    return {text for (text,) in rows}


def test_apconso_worked_example(connection, read):
    rows, count = read(
        "apconso",
        APCONSO,
        f"07X45000012,{SIRET},303.34,3100.5,4.0,2024-02-01",
        f"07X45000013,{SIRET},,,,2024-02-15",
        f'07X45000014,{SIRET},12,"310,50",4,2024-02-01',
        f"07X45000015,{SIRET},12,310.5,4,02/2024",
    )
    assert [(r[0], r[2], r[3], r[4], str(r[5])) for r in rows] == [
        ("07X45000012", 303.34, 3100.5, 4, "2024-02-01"),
        ("07X45000013", None, None, None, "2024-02-15"),
    ]
    assert (count.records, count.accepted, count.quarantined) == (4, 2, 2)
    assert [(q[0], q[2], q[3]) for q in _quarantine(connection)] == [(4, "MONTANTS", "310,50"), (5, "MOIS", "02/2024")]


def test_repeated_keys_keep_the_last_and_account_for_the_others_b8(connection, read):
    rows, count = read(
        "apconso",
        APCONSO,
        f"A,{SIRET},1,1,1,2024-02-01",
        f"A,{SIRET},2,1,1,2024-02-01",
        f"A,{SIRET},2,1,1,2024-02-01",
    )
    assert [r[2] for r in rows] == [2.0]
    assert (count.accepted, count.filtered, count.quarantined) == (1, 1, 1)
    assert [q[0] for q in _quarantine(connection)] == [2]


DEBIT = (
    "Urssaf_gestion;Dep;num_cpte;Siren;Siret;Dt_immat;Etat_cpte;Cd_pro_col;Periode;Num_Ecn;Num_Hist_Ecn;Dt_trt_ecn;"
    "Mt_PO;Mt_PP;Cd_op_ecn;Motif_ecn;Recours_en_cours"
)


def _debit(siret=SIRET, recours="0", treated="1240221"):
    return f"117;21;900;{siret[:9]};{siret};19990101;1;0;202341;101;2;{treated};125000;80050;1;2;{recours}"


def test_debit_worked_example_with_the_account_in_the_identity_b12(read):
    ((siret, account, *_, counted, identity),), _ = read("debit", DEBIT, _debit())
    assert (siret, account, str(counted)) == (SIRET, "900", "2024-03-01")
    assert identity == "51234567800019" + "900" + "20231001" + "20231101" + "101"


@pytest.mark.parametrize(
    ("treated", "month"),
    [("1240220", "2024-02-01"), ("1240221", "2024-03-01"), ("1241231", "2025-01-01"), ("1240131", "2024-02-01")],
)
def test_days_after_the_20th_belong_to_the_next_month_trap_37(read, treated, month):
    rows, _ = read("debit", DEBIT, _debit(treated=treated))
    assert str(rows[0][14]) == month


def test_the_account_of_records_of_section_2_5(connection, read):  # trap 6, deviation B1
    rows, count = read(
        "debit",
        DEBIT,
        _debit(),
        "a;b;c;d;e",
        _debit(siret="99999999900011"),
        _debit(siret="8123456T10"),
        _debit(siret="x", recours=""),
    )
    assert len(rows) == 1
    assert (count.records, count.accepted, count.filtered, count.quarantined) == (5, 1, 1, 3)
    assert {q[0] for q in _quarantine(connection)} == {3, 5, 6}


def test_a_bad_record_outside_the_perimeter_is_refused_not_filtered_trap_17(read):
    _, count = read("debit", DEBIT, _debit(siret="99999999900011", treated="1240230"))
    assert (count.filtered, count.quarantined) == (0, 1)


def test_every_error_of_a_record_is_reported_once(connection, read):
    read("debit", DEBIT, _debit(siret="8123456T10", treated="x").replace(";202341;", ";20x3;"))
    errors = [(line, level, column, found) for line, level, column, found, _ in _quarantine(connection)]
    wrong = {"Dt_trt_ecn": "x", "Periode": "20x3", "siret": "8123456T10"}
    assert sorted(errors) == [(2, "record", column, found) for column, found in wrong.items()]


def test_values_are_neither_trimmed_nor_guessed_and_missing_text_is_unknown(read):  # traps 4, 5, deviation B6
    header = "siren,état_organisation,code_paydex,paydex,n_fournisseurs,encours_étudiés,fpi_30,fpi_90,date"
    rows, _ = read("paydex", header, f"{ID}, actif ,007,,,,,,2024-03-04")
    assert rows[0][:3] == (ID, " actif ", "007")
    rows, _ = read("paydex", header, f"{ID},,,,,,,,2024-03-04")
    assert rows[0][:4] == (ID, None, None, None)


def test_more_than_two_hundred_bad_records_are_all_quarantined(connection, read):  # trap 15, deviation B1
    _, count = read("debit", DEBIT, *[_debit(treated="1240230")] * 300, _debit())
    assert (count.accepted, count.quarantined, len(_quarantine(connection))) == (1, 300, 300)


def test_the_records_of_several_files_of_a_source_are_all_loaded(connection, tmp_path):  # trap 13
    paths = [tmp_path / name for name in ("a.csv", "b.csv.gz")]
    content = "\n".join((DEBIT, _debit(), _debit(treated="x")))
    paths[0].write_text(content)
    paths[1].write_bytes(gzip.compress(content.encode()))
    counts = read_source(connection, BY_NAME["debit"], paths)
    assert [(count.file, count.accepted, count.quarantined) for count in counts] == [
        ("a.csv", 1, 1),
        ("b.csv.gz", 1, 1),
    ]
    assert len(connection.execute(query_of(BY_NAME["debit"])).fetchall()) == 2


def test_identifiers_keep_their_zeros_in_front(connection, read):  # trap 3
    connection.execute("insert into perimeter values ('005720784')")
    rows, _ = read("debit", DEBIT, _debit(siret="00572078400019"))
    assert rows[0][0] == "00572078400019"


def test_a_number_of_a_debt_may_be_of_any_length(read):  # trap 62
    rows, _ = read("debit", DEBIT, _debit().replace(";101;", ";10123456;"))
    assert any("10123456" in str(cell) for cell in rows[0])


def test_blank_lines_and_carriage_returns_are_no_records_trap_7(read):
    rows, count = read("debit", DEBIT + "\r", "", _debit() + "\r", "", _debit())
    assert (len(rows), count.records) == (2, 2)


def test_line_ends_may_be_mixed_without_shifting_the_numbers_of_lines(connection, read):
    read("debit", DEBIT, _debit() + "\r", _debit(), "", _debit(treated="1240230") + "\r")
    assert [line for line, *_ in _quarantine(connection)] == [5]


COTISATION = "Urssaf_gestion;Dep;Siret;Compte;periode;mer;enc_direct;cotis_due"


def test_cotisation_worked_example(read):
    rows, count = read(
        "cotisation",
        COTISATION,
        *(
            f"117;21;{SIRET};900;{tail}"
            for tail in ("2411;0;0;1520,75", "2420;0;12,5;-30", "2362;0;;", "2411;0;0;1 520,75")
        ),
    )
    assert {(str(r[1]), str(r[2]), r[3]) for r in rows} == {
        ("2024-01-01", "2024-02-01", 1520.75),
        ("2024-04-01", "2024-07-01", -30.0),
        ("2023-01-01", "2024-01-01", None),
    }
    assert (len(rows), count.quarantined) == (3, 1)


def test_a_stray_quote_is_an_ordinary_character_where_reading_is_lenient_trap_11(read):
    rows, count = read("cotisation", COTISATION, f'117;2"1;{SIRET};9"0;2411;0;0;10')
    assert (len(rows), count.quarantined) == (1, 0)


def test_a_quoted_cell_may_hold_a_line_break_where_reading_is_lenient_too(read):
    rows, count = read(
        "cotisation", COTISATION, '117;"2', f'1";{SIRET};90;2411;0;0;10', f'117;"21;{SIRET};90;2412;0;0;20'
    )
    assert ([row[3] for row in rows], count.records, count.quarantined) == ([10.0], 2, 1)


@pytest.mark.parametrize("amount", ["1e400", "1e15", "-9" + "0" * 30])
def test_an_amount_from_1e15_is_refused(read, amount):
    rows, count = read("cotisation", COTISATION, f"117;21;{SIRET};90;2411;0;0;{amount}")
    assert (rows, count.quarantined) == ([], 1)


PROCOL = "Siret;Siren;Dt_effet;Cat_v2;Lib_actx_stdx"


@pytest.mark.parametrize(
    ("label", "action", "stade"),
    [
        ("Redressement_ouverture", "redressement", "ouverture"),
        ("SOLDE_PROCEDURE_LIQUIDATION", "liquidation", "solde_procedure"),
        ("sauvegarde_plan_continuation", "sauvegarde", "plan_continuation"),
        ("preliquidation_ouverture", "preliquidation", "ouverture"),
        ("liquidation", "liquidation", None),
        ("Plan_cession", None, None),
    ],
)
def test_procol_labels_are_split_like_section_4_7(read, label, action, stade):
    rows, _ = read("procol", PROCOL, f"{SIRET};{ID};26MAY2014;1;{label}")
    assert rows[0][2:] == (action, stade)


def test_a_stray_quote_refuses_its_record_only_where_reading_is_strict(connection, read):
    good = f"{SIRET};{ID};26MAY2014;1;Redressement_ouverture"
    rows, count = read(
        "procol", PROCOL, f'{SIRET};{ID};26MAY2014;"1;never closed', good, f'{SIRET};{ID};2"6MAY2014;1;x', good
    )
    assert (len(rows), count.records, count.quarantined) == (2, 4, 2)
    assert [q[0] for q in _quarantine(connection)] == [2, 4]


def test_effectif_worked_example(read):
    rows, _ = read("effectif_ent", "siren;eff202411;eff202412;eff202413;rais_soc", f"{ID};12;;7;ATELIER FICTIF")
    assert [(r[0], str(r[1]), r[2]) for r in rows] == [(ID, "2024-01-01", 12), (ID, "2024-03-01", 7)]


def test_an_unreadable_headcount_quarantines_its_cell_only_b4(connection, read):
    rows, count = read("effectif_ent", "siren;eff202411;eff202412;eff202413;rais_soc", f"{ID};12;abc;7;X")
    assert [r[2] for r in rows] == [12, 7]
    assert (count.accepted, count.quarantined, count.cells) == (1, 0, 1)
    assert _quarantine(connection) == [(2, "cell", "eff202412", "abc", f"{ID};12;abc;7;X")]


@pytest.mark.parametrize("cell", ["9999999999", "1  2", "-3", "12;", "1e3"])
def test_a_headcount_that_is_almost_digits_is_quarantined(connection, read, cell):
    rows, count = read("effectif_ent", "siren;eff202411;eff202412;eff202413", f'{ID};12;"{cell}";7')
    assert [r[2] for r in rows] == [12, 7]
    assert (count.accepted, count.cells) == (1, 1)
    assert [q[2:4] for q in _quarantine(connection)] == [("eff202412", cell)]


def test_only_headers_of_eff_and_six_digits_are_months(read):
    rows, _ = read("effectif_ent", "siren;effectif_moyen;EFF202411;eff202412", f"{ID};1;2;3")
    assert [(str(r[1]), r[2]) for r in rows] == [("2024-02-01", 3)]


def _delai(days):
    header = (
        "Urssaf_gestion;Dep;Siret;Numero_compte_externe;Numero_structure;Date_creation;Date_echeance;Duree_delai;"
        "Denomination_premiere_ligne;Indic_6M;Annee_creation;Montant_global_echeancier;Code_externe_stade;Code_externe_action"
    )
    return header, f"117;21;{SIRET};9;x;15/02/2024;14/08/2024;{days};x;SUP;2024;12500,40;APPROB;SUR PO"


def test_delai_worked_example(read):
    rows, _ = read("delai", *_delai("181"))
    assert (str(rows[0][1]), str(rows[0][2]), *rows[0][3:]) == (
        "2024-02-15",
        "2024-08-14",
        181,
        12500.4,
        "APPROB",
        "SUR PO",
    )


def test_an_unreadable_duration_is_refused_b5(read):
    rows, count = read("delai", *_delai("6 mois"))
    assert (rows, count.quarantined) == ([], 1)


def _sirene(source="sirene", **cells):
    described = BY_NAME[source]
    header = list(dict.fromkeys(cell.header for cell in described.cells))
    record = {
        "siren": ID, "nic": "00019", "etablissementSiege": "true", "codeCommuneEtablissement": "21231",
        "activitePrincipaleEtablissement": "25.62B", "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
        "etatAdministratifEtablissement": "A", "longitude": "5.04", "latitude": "47.32",
    } | cells  # fmt: skip
    return ",".join(header), ",".join(record.get(name, "") for name in header)


@pytest.mark.parametrize(
    ("commune", "departement"),
    [
        ("21231", "21"), ("2A004", "2A"), ("97411", "974"), ("98818", "988"), ("75056", "75"), ("01004", "01"),
        ("[ND]", None), ("99131X", None), ("", None),
    ],
)  # fmt: skip
def test_departments_come_from_the_commune_traps_32_33_35(read, commune, departement):
    rows, _ = read("sirene", *_sirene(codeCommuneEtablissement=commune))
    assert rows[0][12] == departement


# Trap 31: the former system left out records of another nomenclature, which would be all records from 1 January 2027.
@pytest.mark.parametrize(
    ("delivered", "read_as"),
    [
        ("NAFRev2", "NAFRev2"), ("NAF2025", "NAF2025"), ("NAFRev2025", "NAF2025"),
        ("NAF1993", "inconnue"), ("NAF 2025", "inconnue"), ("", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("source", ["sirene", "sirene_ul"])
def test_a_record_of_any_nomenclature_is_accepted_trap_31(read, connection, source, delivered, read_as):
    cells = {f"nomenclatureActivitePrincipale{kind}": delivered for kind in ("Etablissement", "UniteLegale")}
    _, count = read(source, *_sirene(source, **cells))
    assert count.accepted == 1
    assert connection.execute("select read_nomenclature($1)", [delivered]).fetchone() == (read_as,)


def test_the_code_in_naf_2025_of_an_establishment_is_loaded_and_its_column_is_optional(read):
    header, record = _sirene(activitePrincipaleNAF25Etablissement="25.53Y")
    rows, _ = read("sirene", header, record)
    assert rows[0][-1] == "25.53Y"
    without = [name for name in header.split(",") if "NAF25" not in name]
    rows, count = read("sirene", ",".join(without), record.replace("25.53Y,", ""))
    assert (count.accepted, rows[0][-1]) == (1, None)


def test_bad_coordinates_quarantine_their_cell_only_and_missing_ones_are_unknown_trap_16(read):  # trap 36, deviation B6
    rows, count = read("sirene", *_sirene(longitude="x", latitude=""))
    assert rows[0][22:24] == (None, None)
    assert (count.accepted, count.cells) == (1, 1)


@pytest.mark.parametrize("flag", ["", "oui", "[ND]", "2", " true"])
def test_an_establishment_whose_head_office_flag_cannot_be_read_is_refused(connection, read, flag):
    rows, count = read("sirene", *_sirene(etablissementSiege=flag))
    assert rows == []
    assert (count.accepted, count.quarantined, count.cells) == (0, 1, 0)
    errors = connection.execute('select "column", expected, found from quarantine').fetchall()
    assert errors == [("etablissementSiege", "1, t, true, 0, f or false", flag.replace("[ND]", ""))]


def test_sirene_is_not_filtered_trap_18(read):
    _, count = read("sirene", *_sirene(siren="999999999"))
    assert count.accepted == 1


@pytest.mark.parametrize(("state", "active"), [("A", True), ("F", False), ("C", False), ("", False)])
def test_only_a_means_active(connection, state, active):  # trap 22
    assert connection.execute("select read_etat_actif($1)", [state]).fetchone() == (active,)


def test_street_types_and_suffixes_are_spelt_out(read):
    rows, _ = read("sirene", *_sirene(typeVoieEtablissement="AV", indiceRepetitionEtablissement="B"))
    assert rows[0][5:7] == ("BIS", "AVENUE")
    rows, _ = read("sirene", *_sirene(typeVoieEtablissement="AVENUE", indiceRepetitionEtablissement="Z"))
    assert rows[0][5:7] == (None, None)


def test_quoted_cells_may_hold_separators_quotes_and_line_breaks(read):
    rows, count = read("sirene", *_sirene(libelleVoieEtablissement='"DES ""LILAS"", BAS\nDROITE"'))
    assert rows[0][7] == 'DES "LILAS", BAS\nDROITE'
    assert (count.records, count.quarantined) == (1, 0)


HISTO = "siret,dateDebut,dateFin,etatAdministratifEtablissement,changementEtatAdministratifEtablissement"


def test_history_records_without_dates_or_state_are_left_out(read):
    rows, count = read(
        "sirene_histo",
        HISTO,
        f"{SIRET},2019-05-01,,A,true",
        f"{SIRET},,2018-12-31,A,false",
        f"{SIRET},,,A,true",
        f"{SIRET},2019-05-01,,,true",
        f"{SIRET},2019-05-01,,A,",
    )
    assert [r[1] is None for r in rows] == [False, True]
    assert (count.accepted, count.filtered, count.quarantined) == (2, 2, 1)


def test_an_explicit_filter_has_no_header_of_its_own(read):
    rows, count = read("filter", "siren", ID, "siren", "12345")
    assert rows == [(ID,)]
    assert (count.filtered, count.quarantined) == (2, 1)


def test_only_the_first_column_of_an_explicit_filter_is_read(read):
    rows, count = read("filter", "siren;nom", f"{ID};ATELIER", f"{ID};ATELIER;encore", ID)
    assert (rows, count.filtered, count.quarantined) == ([(ID,)] * 3, 1, 0)


def test_a_file_larger_than_the_memory_allowed_is_read_all_the_same(tmp_path):
    path = tmp_path / "sigfaible_debits.csv"
    records = "\n".join(_debit(treated=f"124022{n % 9}") for n in range(10_000)) + "\n"
    path.write_text(f"{DEBIT}\n" + records * 150)
    allowed = 120_000_000
    assert path.stat().st_size > allowed
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set threads = 2")
        connection.execute(f"set memory_limit = '{allowed}B'")
        connection.execute("set temp_directory = $1", [str(tmp_path / "spill")])
        label_tables.load(connection)
        connection.execute("create temp table perimeter as select $1 as siren", [ID])
        (count,) = read_source(connection, BY_NAME["debit"], [path])
        rows = connection.execute(f"select count(*) from ({query_of(BY_NAME['debit'])})").fetchone()
    assert (count.records, count.accepted, rows) == (1_500_000, 1_500_000, (1_500_000,))


def test_lines_have_the_same_numbers_within_a_transaction_as_outside(connection, tmp_path):
    """The engine numbers the rows of a table that is not committed yet from another start."""
    path = tmp_path / "a.csv"
    path.write_text('a;b\n1;2\n"3;4\n5";6\n7\n')

    def records():
        read_records(connection, path, separator=";", lenient=True, header_line=1, width=2)
        return connection.execute("select line, fields, fault from records order by line").fetchall()

    outside = records()
    connection.begin()
    within = records()
    connection.rollback()
    assert next(line for line, *_ in outside) == 2
    assert within == outside


def test_a_right_of_access_with_an_unknown_code_or_an_unsafe_name_is_quarantined(read, connection):
    ends = "2026-09-01;2027-08-31"
    rows, count = read(
        "acces",
        "destinataire;role;zones;droits;suivis;revu_le;valable_jusqu_au",
        f"codefi-21;CODEFI;21;score urssaf;;{ends}",
        f"ddets-r27;DDETS;R27 2A;dgefp;512345678,812345678;{ends}",
        f"dge;DGE;national;score;;{ends}",
        f"ddets-r99;DDETS;R99;score;;{ends}",
        f"../secret;DDETS;21;score;;{ends}",
        f"ddets-58;DDETS;58;tout;;{ends}",
        f"ddets-71;DDETS;71;score;51234567;{ends}",
        "ddets-89;DDETS;89;score;;01/09/2026;2027-08-31",
        f";DDETS;89;score;;{ends}",
    )
    assert [(row[0], row[2], row[4]) for row in rows] == [
        ("codefi-21", "21", None),
        ("ddets-r27", "R27 2A", "512345678,812345678"),
        ("dge", "national", None),
    ]
    assert (count.accepted, count.quarantined) == (3, 6)
    assert [(line, column) for line, _, column, *_ in _quarantine(connection)] == [
        (5, "zones"), (6, "destinataire"), (7, "droits"), (8, "suivis"), (9, "revu_le"), (10, "destinataire"),
    ]  # fmt: skip
