"""Files of Ellisphere, Banque de France and Diane: sheets read by position, ratios, years side by side."""

from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from clean_world import fresh_world
from test_other_sources import ABROAD, SIREN, staged, write

from sf_assets.sources.arrival import inspect
from sf_assets.sources.batch import source_of
from sf_assets.sources.registry import BY_NAME

world = pytest.fixture(fresh_world, name="world")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Ellisphère-Tête de groupe-FinMois-2020-06.xlsx", "ellisphere"),
        ("Ellisphe\u0300re-Te\u0302te de groupe-juin.xlsx", "ellisphere"),
        ("Ellisphère-Tête de groupe-v1.2.xlsx", None),
        ("bdf.csv", "bdf"),
        ("Diane_Export_1.txt", "diane"),
        ("diane_2020.csv.gz", "diane"),
        ("DIANE.txt", None),
    ],
)
def test_file_names_identify_the_sources(file, name):
    found = source_of(file)
    assert (found.name if found else None) == name


# ---- Ellisphere (rules §9.3)

HEAD = ["G1", "G", "400000001", "R1", "HOLDING FICTIVE", "1 RUE A\n75001 PARIS", "", "", ""]


def sheet(folder: Path, *rows: list[object]) -> Path:
    path = folder / "Ellisphère-Tête de groupe-juin.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return path


def subsidiary(siren: object = SIREN, level: object = 1, share: object = 75.5) -> list[object]:
    return [*HEAD, level, share, "", "F1", "P", siren, "R2"]


def test_a_sheet_of_groups_is_read_by_position_and_its_header_is_not_refused(tmp_path):
    rows, counts, refused = staged(
        "ellisphere",
        sheet(
            tmp_path,
            [f"nom {n}" for n in range(16)],
            subsidiary(),
            subsidiary(siren=int(SIREN), share="25,01"),
            subsidiary(siren=ABROAD),
            [""] * 16,
            subsidiary(level="deux"),
            subsidiary(siren="12345"),
        ),
    )
    assert rows.rows() == [
        (SIREN, "G1", "G", "400000001", "R1", "HOLDING FICTIVE", "1 RUE A\n75001 PARIS", 1, share, "F1", "P", "R2")
        for share in (75.5, 25.01)
    ]
    assert counts == [(7, 2, 3, 2)]
    assert [cells for _, *cells in refused] == [["niveau_detention", "deux"], ["siren", "12345"]]


def test_a_first_row_that_is_a_record_counts_as_one(tmp_path):
    rows, counts, _ = staged("ellisphere", sheet(tmp_path, subsidiary(), subsidiary()))
    assert (rows.height, counts) == (2, [(2, 2, 0, 0)])


NAMES = [f"nom {n}" for n in range(16)]
GAPS = ["", *NAMES[1:5], "", *NAMES[6:]]


@pytest.mark.parametrize(
    "above",
    [
        [["Têtes de groupe, juin 2020"]],
        [["Têtes de groupe, juin 2020"], [], NAMES],
        [[], GAPS],
        [GAPS],
        [["Extrait le", "", "", "", "", "", "", "", "", "", "", "", "", "", 20200630 // 10000]],
    ],
)
def test_titles_and_names_with_gaps_above_the_records_are_no_records(tmp_path, above):
    rows, counts, refused = staged("ellisphere", sheet(tmp_path, *above, subsidiary(), subsidiary()))
    assert (rows.height, counts, refused) == (2, [(2 + len(above), 2, len(above), 0)], [])


def test_line_breaks_within_cells_are_line_feeds(tmp_path):
    head = [*HEAD[:5], "1 RUE A\r\n75001\rPARIS _x000D_", *HEAD[6:]]
    path = sheet(tmp_path, [*head, *subsidiary()[9:]])
    assert inspect(path, BY_NAME["ellisphere"]).fault is None
    rows, _, _ = staged("ellisphere", path)
    assert rows["adresse_groupe"].to_list() == ["1 RUE A\n75001\nPARIS _x000D_"]


@pytest.mark.parametrize("form", ["0%", "0.00%", "0.0 %", "[Red]0.00%"])
def test_shares_displayed_as_percentages_are_in_per_cent_whatever_their_cells_hold(tmp_path, form):
    path = tmp_path / "Ellisphère-Tête de groupe-juin.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        percentage, literal = book.add_format({"num_format": form}), book.add_format({"num_format": '0.0" %"'})
        for number, share in enumerate((0.755, 75.5, "75,5 %", "75.5%", 75.5)):
            page.write_row(number, 0, subsidiary(share=share))
        page.write(0, 10, 0.755, percentage)
        page.write(4, 10, 75.5, literal)
    rows, counts, _ = staged("ellisphere", path)
    assert rows["part_financiere"].to_list() == [75.5] * 5
    assert counts == [(5, 5, 0, 0)]


def test_sirens_stored_as_numbers_get_their_leading_zeros_back_and_texts_do_not(tmp_path):
    short = 5880596
    path = sheet(tmp_path, subsidiary(siren=short), subsidiary(siren=float(SIREN)), subsidiary(siren="512 345 678"),
                 subsidiary(siren=str(short)), subsidiary(siren=1e9))  # fmt: skip
    rows, counts, refused = staged("ellisphere", path)
    assert rows["siren"].to_list() == [SIREN, SIREN]
    # 005880596 is outside the perimeter.
    assert (counts, [cells for _, *cells in refused]) == (
        [(5, 2, 1, 2)], [["siren", str(short)], ["siren", "1000000000"]],
    )  # fmt: skip


def test_a_sheet_without_its_last_column_is_read_without_it(tmp_path):
    rows, counts, _ = staged("ellisphere", sheet(tmp_path, subsidiary()[:-1], subsidiary()[:-1]))
    assert (counts, rows["refid_filiale"].to_list()) == ([(2, 2, 0, 0)], [None, None])


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([[*subsidiary(), "", "une note"]], "expected 16 columns, found something in column R too"),
        (
            [subsidiary()[1:]] * 3,
            "expected sirens of nine digits in column O (siren), found 0 on 3 rows",
        ),
        ([["nouvelle", *subsidiary()[:-1]]] * 3, "in column O (siren), found 0 on 3 rows"),
        ([NAMES], "in column O (siren), found 0 on 1 rows"),
        ([subsidiary(level="premier")] * 3, "expected whole numbers in column J (niveau_detention), found 0 on 3 rows"),
        (
            [subsidiary(share="majoritaire")] * 3,
            "expected shares in per cent in column K (part_financiere), found 0 on 3",
        ),
        ([], "expected a sheet with rows, found a blank one"),
    ],
)
def test_a_sheet_whose_records_would_all_be_quarantined_is_refused_on_arrival(tmp_path, rows, fault):
    found = inspect(sheet(tmp_path, *rows), BY_NAME["ellisphere"]).fault
    assert fault in found
    assert SIREN not in found


def test_a_company_is_in_the_group_that_holds_most_of_it(world):
    columns = "siren siren_groupe raison_sociale_groupe adresse_groupe niveau_detention part_financiere"
    world.add(
        "stg_ellisphere", columns,
        ("400000002", "400000001", "A", "RUE", 2, 40), ("400000002", "400000003", "B", "RUE", 1, 60),
        ("400000004", "400000003", "B", "RUE", 2, None), ("400000004", "400000001", "A", "RUE", 1, None),
        ("400000005", "400000001", "A", "RUE", 1, 100),
    )  # fmt: skip
    world.blacklist("400000005")
    assert world.rows("clean_ellisphere") == [
        ("400000002", "400000003", "B", "RUE", 1, 60), ("400000004", "400000001", "A", "RUE", 1, None),
    ]  # fmt: skip


# ---- Banque de France (rules §9.4)

RATIOS = (
    "siren annee date_cloture_exercice raison_sociale secteur poids_frng taux_marge delai_fournisseur dette_fiscale"
)


def bdf_line(siren: str = "512 345 678", day: str = "31DEC2012", margin: str = "-3,5") -> str:
    return f"{siren};2012;{day};ATELIER;Industrie;12,25;{margin};60;20,5;0;4,75"


def test_ratios_of_banque_de_france_are_read_with_their_blanks_and_commas(tmp_path):
    names = (
        "D1;ANNEE;ARRETE_BILAN;DENOM;SECTEUR;POIDS_FRNG;TX_MARGE;DELAI_FRS;POIDS_DFISC_SOC;POIDS_FIN_CT;POIDS_FRAIS_FIN"
    )
    lines = (
        names, bdf_line(), bdf_line(margin=""), bdf_line(margin="n.d."), bdf_line(day="12/31/2012"), bdf_line("999 999 999"),
        bdf_line("512 345"), bdf_line() + ";",
    )  # fmt: skip
    rows, counts, refused = staged("bdf", write(tmp_path, "bdf.csv", *lines))
    first = (SIREN, 2012, date(2012, 12, 31), "ATELIER", "Industrie", 12.25, -3.5, 60, 20.5)
    assert rows.select(RATIOS.split()).rows()[0] == first
    assert rows.select("financier_court_terme", "frais_financier").rows()[0] == (0, 4.75)
    assert rows["taux_marge"].to_list() == [-3.5, None]
    assert counts == [(7, 2, 1, 4)]
    assert refused == [
        (4, "TX_MARGE", "n.d."), (5, "ARRETE_BILAN", "12/31/2012"), (7, "siren", "512345"), (8, None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("31DEC2012", date(2012, 12, 31)), ("28FEV2013", date(2013, 2, 28)), ("28FÉV2013", date(2013, 2, 28)),
        ("28Feb2013", date(2013, 2, 28)), ("30AVR2013", date(2013, 4, 30)), ("31MAI2013", date(2013, 5, 31)),
        ("31MAY2013", date(2013, 5, 31)), ("30JUN2013", date(2013, 6, 30)), ("30JUIN2013", date(2013, 6, 30)),
        ("31JUIL2013", date(2013, 7, 31)), ("31AOÛ2013", date(2013, 8, 31)), ("31AUG2013", date(2013, 8, 31)),
        ("30JUI2013", None), ("30FEV2013", None), ("1JAN2013", None), ("31/12/2013", None),
    ],
)  # fmt: skip
def test_closing_dates_have_french_or_english_months(tmp_path, text, day):
    names = ";".join(cell.header for cell in BY_NAME["bdf"].cells)
    rows, _, refused = staged("bdf", write(tmp_path, "bdf.csv", names, bdf_line(day=text)))
    assert rows["date_cloture_exercice"].to_list() == ([day] if day else [])
    assert refused == ([] if day else [(2, "ARRETE_BILAN", text)])


# ---- Diane (rules §9.5)

COMPANY = ("Marquée", "Nom de l'entreprise", "Numéro Siren", "Statut juridique ", "Procédure collective")
YEARLESS = ("Nombre d’ES", "Nombre de filiales", "Taille de la Composition du Groupe")
YEARLY = tuple(
    cell.header
    for cell in BY_NAME["diane"].cells
    if cell.header.strip()
    not in {*(name.strip() for name in (*COMPANY, *YEARLESS)), "Nombre d'ES", "Annee", "Note Préface"}
)


def export(folder: Path, *records: dict[str, str], years: tuple[int, ...] = (2017, 2019), without: str = "") -> Path:
    """Write an export of records, each with its cells by header, year included."""
    yearly = [f"{name} {year}" for name in YEARLY for year in years]
    header = [name for name in (*COMPANY, *YEARLESS, *yearly) if not without or not name.startswith(without)]
    named = [name.replace(" C.A. ", " C.A.  ") for name in header]
    lines = [named, *([record.get(name, "") for name in header] for record in records)]
    texts = [";".join(f'"{cell}"' for cell in line) for line in lines]
    return write(folder, "Diane_Export_1.txt", *texts, encoding="utf-16")


def accounts(siren: str = SIREN, **cells: str) -> dict[str, str]:
    return {
        "Numéro Siren": siren, "Nom de l'entreprise": "ATELIER  FICTIF", "Procédure collective": "Oui", "Nombre d’ES": "2",
        "Date de clôture 2019": "31/12/2019", "Date de clôture 2017": "31/12/2017", "Nombre de mois 2019": "12",
        "Chiffre d'affaires net (H.T.) kEUR 2019": "1200,5", "Chiffre d'affaires net (H.T.) kEUR 2017": "n.d.",
        "Valeur ajoutée kEUR 2019": "400", "Valeur ajoutée kEUR 2017": "0", "Dettes fiscales et sociales kEUR 2019": "100",
        "Dettes fiscales et sociales kEUR 2017": "5", "Excédent brut d'exploitation kEUR 2019": "60",
        "Produits fin. kEUR 2019": "5", "Produits except. kEUR 2019": "10", "Charges except. kEUR 2019": "20",
        "Charges fin. kEUR 2019": "15", "Intérêts et charges assimilées kEUR 2019": "8",
        "Couv. du C.A. par le f.d.r. jours 2019": "36", **cells,
    }  # fmt: skip


def test_an_export_becomes_one_row_per_company_and_year_from_the_first_to_the_last(tmp_path):
    path = export(tmp_path, accounts(), accounts(ABROAD), accounts("1234"), {"Marquée": "Marquée"})
    assert path.read_bytes()[:2] == b"\xff\xfe"
    rows, counts, refused = staged("diane", path)
    columns = "annee raison_sociale procedure_collective nombre_etab_secondaire date_cloture_exercice nombre_mois ca"
    assert rows.sort("annee").select(columns.split()).rows() == [
        (2017, "ATELIER FICTIF", True, 2, date(2017, 12, 31), None, None),
        (2018, "ATELIER FICTIF", True, 2, None, None, None),
        (2019, "ATELIER FICTIF", True, 2, date(2019, 12, 31), 12, 1200.5),
    ]
    assert counts == [(4, 1, 2, 1)]
    assert refused == [(4, "siren", "1234")]


def test_four_ratios_follow_banque_de_france_and_are_unknown_without_an_operand_or_over_zero(tmp_path):
    rows, *_ = staged("diane", export(tmp_path, accounts()))
    ratios = rows.sort("annee").select("poids_frng", "dette_fiscale", "taux_marge", "frais_financier").rows()
    assert ratios == [(None,) * 4, (None,) * 4, (10, 25, 15, 20)]
    charges = accounts(**{"Charges except. kEUR 2019": "60"})
    rows, *_ = staged("diane", export(tmp_path, charges))
    assert rows.sort("annee")["frais_financier"].to_list() == [None] * 3


def test_every_amount_of_an_export_has_its_column(tmp_path):
    cells = {f"{name} 2019": str(n) for n, name in enumerate(YEARLY, start=1)}
    rows, *_ = staged("diane", export(tmp_path, accounts(**cells), years=(2019,)))
    row = rows.row(0, named=True)
    for cell in BY_NAME["diane"].cells:
        if cell.reader in ("entier", "decimal_virgule") and cell.header in YEARLY:
            assert row[cell.column] == YEARLY.index(cell.header) + 1, cell.header


def test_records_of_another_width_are_quarantined_once(tmp_path):
    path = export(tmp_path, accounts())
    path.write_bytes(path.read_bytes() + "a;b\n".encode("utf-16-le"))
    _, counts, refused = staged("diane", path)
    assert (counts, refused) == ([(2, 1, 0, 1)], [(3, None, None)])


def test_an_export_without_a_column_or_without_years_is_refused(tmp_path):
    fault = inspect(export(tmp_path, without="Valeur ajoutée"), BY_NAME["diane"]).fault
    assert "expected column Valeur ajoutée kEUR in the header" in fault
    path = write(tmp_path, "diane.txt", ";".join(cell.header for cell in BY_NAME["diane"].cells), encoding="utf-16")
    assert (
        inspect(path, BY_NAME["diane"]).fault == "diane.txt, line 1: expected columns that end with a year, found none"
    )
