"""URSSAF files that only name accounts: the list of accounts, and the establishment of an account on a day (§9.1)."""

from datetime import date

import duckdb
import pytest
from test_other_sources import ABROAD, SIREN, staged, write

from sf_assets.sources.arrival import inspect
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.sources.text import UnreadableFile
from sf_assets.staging.reading import read_source
from sf_assets.staging.tables import query_of

ACCOUNT = "117000001234567890"
FIRST, SECOND = f"{SIREN}00019", f"{SIREN}00027"
NEVER = date(2899, 1, 1)
NAMES = "Urssaf_gestion;Dep;Compte;Etat_compte;Siren;Siret;Date_crea_siret;Date_disp_siret"


def entry(account: str, siret: str, closing: str = "", opening: str = "1100101") -> str:
    return f"117;75;{account};1;{siret[:9]};{siret};{opening};{closing}"


def test_an_account_without_an_end_never_closes(tmp_path):
    lines = (
        NAMES, entry(ACCOUNT, FIRST, "1180630"), entry(ACCOUNT, SECOND), entry("2", FIRST, "9990101", ""),
        entry("3", f"{ABROAD}00012"), entry("4", "5123"), entry("5", FIRST, "1180631"), entry("", FIRST), "117;75",
    )  # fmt: skip
    rows, counts, refused = staged("admin_urssaf", write(tmp_path, "sigfaible_etablissement_utf8.csv.gz", *lines))
    opened = date(2010, 1, 1)
    assert rows.sort("compte", "siret").rows() == [
        (ACCOUNT, FIRST, opened, date(2018, 6, 30)), (ACCOUNT, SECOND, opened, NEVER), ("2", FIRST, None, NEVER),
    ]  # fmt: skip
    assert counts == [(8, 3, 1, 4)]
    assert [(line, column) for line, column, _ in refused] == [
        (6, "siret"), (7, "Date_disp_siret"), (8, "Compte"), (9, None),
    ]  # fmt: skip


def test_a_later_file_replaces_the_whole_list_of_the_accounts_it_mentions(tmp_path):
    one = write(
        tmp_path,
        "sigfaible_etablissement_utf8.csv",
        NAMES,
        entry("1", FIRST, "1180630"),
        entry("1", SECOND),
        entry("2", FIRST),
    )
    other = write(tmp_path, "sigfaible_etablissement_utf8_bis.csv", NAMES, entry("1", FIRST, "1190101"))
    rows, counts, _ = staged("admin_urssaf", one, other)
    assert rows.sort("compte").select("compte", "siret", "date_disparition").rows() == [
        ("1", FIRST, date(2019, 1, 1)), ("2", FIRST, NEVER),
    ]  # fmt: skip
    assert counts == [(3, 3, 0, 0), (1, 1, 0, 0)]


ENTRIES = (
    (ACCOUNT, FIRST, date(2018, 6, 30)), (ACCOUNT, SECOND, NEVER), ("2", f"{ABROAD}00012", NEVER),
    ("3", FIRST, date(2010, 1, 1)),
)  # fmt: skip


def read(name, path, accounts=ENTRIES):
    """Return the staging rows, the counts and the quarantine of a file without a siret."""
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute("create temp table perimeter as select $1 as siren", [SIREN])
        connection.execute("create temp table accounts (compte varchar, siret varchar, date_disparition date)")
        for row in accounts:
            connection.execute("insert into accounts values (?, ?, ?)", row)
        assert inspect(path, BY_NAME[name]).fault is None
        (count,) = read_source(connection, BY_NAME[name], [path])
        rows = connection.execute(query_of(BY_NAME[name])).pl()
        refused = connection.execute('select line, "column", found from quarantine order by all').fetchall()
        return rows, (count.records, count.accepted, count.filtered, count.quarantined), refused


def test_an_account_is_looked_up_on_the_first_day_of_the_period(tmp_path):
    """The worked example of rules §9.1: the closing day is strictly after the day looked up."""
    lines = ("Compte;periode;enc_direct;cotis_due", *(f"{ACCOUNT};{period};0;{n}" for n, period in enumerate(
        ("201823", "201830", "202311", "201762"), start=1
    )))  # fmt: skip
    rows, counts, _ = read("cotisation", write(tmp_path, "sigfaible_cotisdues.csv", *lines))
    assert rows.select("siret", "periode_debut", "du").sort("du").rows() == [
        (FIRST, date(2018, 6, 1), 1), (SECOND, date(2018, 7, 1), 2), (SECOND, date(2023, 1, 1), 3),
        (FIRST, date(2017, 1, 1), 4),
    ]  # fmt: skip
    assert counts == (4, 4, 0, 0)


@pytest.mark.parametrize(
    ("day", "siret"), [("29/06/2018", FIRST), ("30/06/2018", SECOND), ("01/07/2018", SECOND), ("31/12/2898", SECOND)]
)
def test_on_its_closing_day_an_establishment_has_left_its_account(tmp_path, day, siret):
    names = ";".join(cell.header for cell in BY_NAME["delai"].cells if cell.column != "siret")
    line = f"{ACCOUNT};1;ATELIER;INF;{day};31/12/2898;90;2018;1000;APPROB;SUR PO"
    rows, *_ = read("delai", write(tmp_path, "sigfaible_delais.csv", names, line))
    assert rows["siret"].to_list() == [siret]


def test_records_of_accounts_without_an_establishment_are_filtered_and_wrong_ones_quarantined(tmp_path):
    lines = (
        "Compte;Date_de_traitement;Code_externe_stade;Code_externe_action",
        f"{ACCOUNT};1180101;DEBUT;CCSF", "unknown;1180101;DEBUT;CCSF", "2;1180101;DEBUT;CCSF", "3;1100101;DEBUT;CCSF",
        ";1180101;DEBUT;CCSF", f"{ACCOUNT};1180231;DEBUT;CCSF", "unknown;hier;DEBUT;CCSF", "short",
    )  # fmt: skip
    rows, counts, refused = read("ccsf", write(tmp_path, "sigfaible_ccsf.csv", *lines))
    assert rows.select("siret", "compte", "stade").rows() == [(FIRST, ACCOUNT, "DEBUT")]
    assert counts == (8, 1, 4, 3)
    assert refused == [(7, "Date_de_traitement", "1180231"), (8, "Date_de_traitement", "hier"), (9, None, None)]


def test_a_debt_without_a_siret_gets_it_and_its_identity_from_the_account(tmp_path):
    names = ";".join(dict.fromkeys(cell.header for cell in BY_NAME["debit"].cells if cell.column != "siret"))
    line = f"{ACCOUNT};101;1240221;125000;80050;2;1;0;201821;C;M;0"
    rows, counts, _ = read("debit", write(tmp_path, "sigfaible_debits.csv", names, line))
    assert counts == (1, 1, 0, 0)
    assert rows["debit_id"].to_list() == [f"{FIRST}{ACCOUNT}2018040120180501101"]


def test_a_file_that_has_the_siret_does_not_use_the_accounts(tmp_path):
    lines = ("Siret;Compte;periode;enc_direct;cotis_due", f"{FIRST};{ACCOUNT};202311;0;1")
    rows, *_ = read("cotisation", write(tmp_path, "sigfaible_cotisdues.csv", *lines), accounts=())
    assert rows["siret"].to_list() == [FIRST]


def test_without_any_account_a_file_that_needs_them_is_refused(tmp_path):
    path = write(tmp_path, "sigfaible_cotisdues.csv", "Compte;periode;enc_direct;cotis_due")
    with pytest.raises(
        UnreadableFile, match=r"sigfaible_cotisdues[.]csv: expected a column siret, or in the batch a file of accounts"
    ):
        read("cotisation", path, accounts=())


def test_a_file_with_neither_a_siret_nor_an_account_is_refused_on_arrival(tmp_path):
    path = write(tmp_path, "sigfaible_cotisdues.csv", "periode;enc_direct;cotis_due")
    assert "expected column Compte in the header" in inspect(path, BY_NAME["cotisation"]).fault
    path = write(tmp_path, "sigfaible_pcoll.csv", "Dt_effet;Lib_actx_stdx")
    assert "expected column Siret in the header" in inspect(path, BY_NAME["procol"]).fault
