"""Altares and VAT returns: a worked example of each edition, wrong cells and widths, and the account of records."""

import gzip
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sf_assets.sources.arrival import inspect
from sf_assets.sources.batch import source_of
from sf_assets.sources.corrections import edition_of
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.reading import read_source
from sf_assets.staging.tables import query_of

SIREN = "512345678"
ABROAD = "999999999"


def staged(name: str, *paths: Path) -> tuple[pl.DataFrame, list[tuple[int, ...]], list[tuple[object, ...]]]:
    """Return staging rows, counts (records, accepted, filtered, quarantined) by file, and the quarantine."""
    source = BY_NAME[name]
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute("create temp table perimeter as select $1 as siren", [SIREN])
        faults = [inspect(path, edition_of(source, path)).fault for path in paths]
        assert not any(faults), faults
        counts = read_source(connection, source, paths)
        rows = connection.execute(query_of(source)).pl()
        refused = connection.execute('select line, "column", found from quarantine order by all').fetchall()
    assert all(count.records == count.accepted + count.filtered + count.quarantined for count in counts)
    return rows, [(c.records, c.accepted, c.filtered, c.quarantined) for c in counts], refused


def write(folder: Path, name: str, *lines: str, encoding: str = "utf-8") -> Path:
    content = "".join(f"{line}\n" for line in lines).encode(encoding)
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("altares_paydex.csv", "paydex"),
        ("SF_DATA_20230706.txt", "paydex"),
        ("S_202011095834-3_202311010315.csv.gz", "paydex"),
        ("E_202001021530_Retro-Paydex_20200102.csv", "paydex"),
        ("E_2020_Retro-Paydex_20200102.csv", None),
        ("tva_ca3.csv", "tva_ca3"),
        ("tva_ca12.csv.gz", "tva_ca12"),
    ],
)
def test_producers_file_names_identify_the_sources(file, name):
    found = source_of(file)
    assert (found.name if found else None) == name


# ---- Altares (rules §9.2)

STOCK_NAMES = (
    "SIREN;ETAT_ORGANISATION;CODE_PAYDEX;PAYDEX;NBR_JRS_RETARD;NBR_FOURNISSEURS;ENCOURS_ETUDIES;"
    "NBR_EXPERIENCES_PAIEMENT;NOTE100_ALERTEUR_PLUS_30;NOTE100_ALERTEUR_PLUS_90_JOURS;DATE_VALEUR"
)
MEASURES = [
    "siren",
    "etat_organisation",
    "code_paydex",
    "paydex",
    "n_fournisseurs",
    "encours_etudies",
    "fpi_30",
    "fpi_90",
]


def stock_line(siren: str = SIREN, day: str = "28/03/2024", days: str = "15") -> str:
    return f"   {siren};  Actif;078; 3 jours;{days};4;1200,5;9;;40;{day}"


def increment_line(siren: str = SIREN, day: str = "2024-03-28", *, days: str = "15", end: str = "") -> str:
    cells = [""] * 31
    cells[1], cells[3], cells[18], cells[21], cells[22] = siren, "CAFÉ €", "cessé", "067", days
    cells[23], cells[24], cells[26], cells[27], cells[30] = "4", "1200.5", "35", "120", day
    return ";".join(cells) + end


@pytest.mark.parametrize("names", [(), (STOCK_NAMES,), ("\ufeff" + STOCK_NAMES,)])
def test_the_stock_is_read_by_position_with_or_without_a_header(tmp_path, names):
    lines = (stock_line(), stock_line(ABROAD), stock_line(day="2024-03-28"), "short;line", stock_line(days="trois"))
    rows, counts, refused = staged("paydex", write(tmp_path, "SF_DATA_20230706.txt", *names, *lines))
    assert rows.select(*MEASURES, "date_valeur").cast(pl.String).rows() == [
        (SIREN, "Actif", "078", "15.0", "4.0", "1200.5", None, "40.0", "2024-03-28")
    ]
    first = len(names)
    assert counts == [(5 + first, 1, 1 + first, 3)]
    assert refused == [
        (3 + first, "date_valeur", "2024-03-28"), (4 + first, None, None), (5 + first, "nbr_jrs_retard", "trois"),
    ]  # fmt: skip


@pytest.mark.parametrize("end", ["", ";"])
def test_the_increment_is_read_by_position_in_its_encoding_without_its_trailer(tmp_path, end):
    names = ";".join(["Référence Client", "Siren", *["x"] * 29]) + end
    lines = (increment_line(end=end), increment_line(ABROAD, end=end), increment_line(day="28/03/2024", end=end), "a;b")
    path = write(
        tmp_path, "S_202011095834-3_202404010315.csv", names, *lines, "Fin du fichier : total 4 ligne(s)",
        encoding="iso-8859-15",
    )  # fmt: skip
    rows, counts, refused = staged("paydex", path)
    assert rows.select(*MEASURES, "date_valeur").cast(pl.String).rows() == [
        (SIREN, "cessé", "067", "15.0", "4.0", "1200.5", "35.0", "120.0", "2024-03-28")
    ]
    assert counts == [(6, 1, 3, 2)]
    assert refused == [(4, "date_valeur", "28/03/2024"), (5, None, None)]


@pytest.mark.parametrize(
    ("last", "fault"),
    [
        ("Fin du fichier : total 2 ligne(s)", None),
        ("Fin du fichier : total 3 ligne(s)\n\n", None),
        ("Fin du fichier : total 4 ligne(s)", None),
        ("Fin du fichier : total 70 ligne(s)", "expected 70 lines as the last line states, found 4"),
        (increment_line(), "expected a last line 'Fin du fichier', found another one: the file is cut"),
    ],
)
def test_an_increment_that_is_cut_or_miscounted_is_refused(tmp_path, last, fault):
    lines = ("x;Siren" + ";x" * 29, increment_line(), increment_line(), last)
    path = write(tmp_path, "S_202011095834-3_202404010315.csv", *lines, encoding="iso-8859-15")
    found = inspect(path, edition_of(BY_NAME["paydex"], path)).fault
    assert found == (fault and f"{path.name}: {fault}")


def test_past_days_late_are_read_by_name(tmp_path):
    lines = (
        "DATE_VALEUR;SIREN;NB_JOURS",
        f"31/12/2016;{SIREN};12",
        f"31/12/2016;{SIREN};1.5",
        f"31/12/2016;{ABROAD};1",
    )
    rows, counts, refused = staged("paydex", write(tmp_path, "E_202001021530_Retro-Paydex_20200102.csv", *lines))
    assert rows.select("siren", "paydex", pl.col("date_valeur").cast(pl.String)).rows() == [(SIREN, 12, "2016-12-31")]
    assert (counts, refused) == ([(3, 1, 1, 1)], [(3, "NB_JOURS", "1.5")])


def test_the_editions_of_one_month_are_all_loaded_in_file_order(tmp_path):
    retro = write(
        tmp_path, "E_202001021530_Retro-Paydex_20200102.csv", "SIREN;NB_JOURS;DATE_VALEUR", f"{SIREN};1;01/01/2016"
    )
    stock = write(tmp_path, "SF_DATA_20230706.txt.gz", STOCK_NAMES, stock_line(days="2"), stock_line(days="3"))
    rows, counts, _ = staged("paydex", retro, stock)
    assert rows.select("file_number", "line", "paydex").sort("line", "file_number").rows() == [
        (1, 2, 1),
        (2, 2, 2),
        (2, 3, 3),
    ]
    assert counts == [(1, 1, 0, 0), (3, 2, 1, 0)]


# ---- VAT (rules §9.11)


@pytest.mark.parametrize(("name", "prefix"), [("tva_ca3", "d3310_"), ("tva_ca12", "d3517s_")])
def test_a_vat_return_has_the_boxes_that_figures_need(tmp_path, name, prefix):
    boxes = [cell.header for cell in BY_NAME[name].cells if cell.header.startswith(prefix)]
    header = [
        "siren",
        "DTE_DEBUT_PERIODE",
        "dte_fin_periode",
        "no_ocfi",
        "mode_depot",
        "version_form",
        "dte_depot",
        "x",
    ]
    valid = [SIREN, "2024-01-01", "20240331", "17", "EDI", "2024", "2024-04-20", "9"]
    lines = (
        [*header, *(box.upper() for box in boxes)],
        [*valid, *map(str, range(len(boxes)))],
        [*valid, *[""] * len(boxes)],
        [*valid, "1 000", *[""] * (len(boxes) - 1)],
        [*valid[:1], "", *valid[2:], *["1"] * len(boxes)],
        [ABROAD, *valid[1:], *["1"] * len(boxes)],
        [*valid],
    )
    rows, counts, refused = staged(name, write(tmp_path, f"{name}.csv", *("|".join(line) for line in lines)))
    filing = rows.select("date_deb_tva", "date_fin_tva", "date_depot").cast(pl.String)
    assert filing.rows() == [("2024-01-01", "2024-03-31", "2024-04-20")] * 2
    assert rows.select(boxes).rows() == [tuple(range(len(boxes))), (None,) * len(boxes)]
    assert counts == [(6, 2, 1, 3)]
    assert refused == [(4, boxes[0], "1 000"), (5, "dte_debut_periode", ""), (7, None, None)]


def test_a_return_without_one_of_its_boxes_is_refused(tmp_path):
    header = "|".join(cell.header for cell in BY_NAME["tva_ca3"].cells if cell.header != "d3310_29")
    path = write(tmp_path, "tva_ca3.csv", header)
    assert "expected column d3310_29 in the header" in inspect(path, BY_NAME["tva_ca3"]).fault
