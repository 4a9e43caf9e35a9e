"""One source, several editions: other names, encodings, Parquet and sheets give the rows that the plain file gives."""

import gzip
from dataclasses import replace

import duckdb
import polars as pl
import pytest

from sf_assets.sources.arrival import inspect
from sf_assets.sources.batch import source_of
from sf_assets.sources.corrections import edition_of
from sf_assets.sources.description import Cell
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.reading import read_source
from sf_assets.staging.tables import query_of

SIREN = "512345678"
UNITS = pl.DataFrame(
    {
        "siren": [SIREN, "812345678", "12345"],
        "denominationUniteLegale": ["ATELIER", "FONDERIE ÉTÉ", "X"],
        **{f"prenom{n}UniteLegale": [None, None, None] for n in (1, 2, 3, 4)},
        "nomUniteLegale": [None, "DUPONT", None],
        "nomUsageUniteLegale": [None, None, None],
        "categorieJuridiqueUniteLegale": ["5710", "5499", "5710"],
        "activitePrincipaleUniteLegale": ["25.62B", "24.51Z", "25.62B"],
        "nomenclatureActivitePrincipaleUniteLegale": ["NAFRev2"] * 3,
        "dateCreationUniteLegale": ["2001-02-03", None, "2001-02-03"],
        "etatAdministratifUniteLegale": ["A", "C", "A"],
    },
    schema_overrides={f"prenom{n}UniteLegale": pl.String for n in (1, 2, 3, 4)} | {"nomUsageUniteLegale": pl.String},
)
PAYDEX = replace(
    BY_NAME["paydex"],
    editions=(
        replace(
            BY_NAME["paydex"],
            names=(),
            pattern="increment.*[.](csv|xlsx)",
            separator=";",
            encoding="iso-8859-15",
            columns=("n", "siren", "etat", "jours", "date"),
            trims=True,
            trailer="Fin du fichier",
            cells=(
                Cell("siren", column="siren"),
                Cell("etat", column="etat_organisation"),
                Cell("jours", "decimal_virgule", "paydex"),
                Cell("date", "date_fr", "date_valeur", required=True),
            ),
        ),
    ),
)
INCREMENT = f"1;{SIREN};  actif €;12,5;28/03/2024\n2;{SIREN};cessé;;31/02/2024\nFin du fichier : total 2 ligne(s)\n"


def staged(source, *paths):
    """Return the staging rows, the counts and the quarantine of files."""
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute("create temp table perimeter as select $1 as siren", [SIREN])
        counts = read_source(connection, source, paths)
        rows = connection.execute(query_of(source)).pl()
        return rows, counts, connection.execute("from quarantine order by line").pl()


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("StockUniteLegale_utf8.csv.gz", "sirene_ul"),
        ("StockUniteLegale_utf8.parquet", "sirene_ul"),
        ("StockEtablissement_utf8.csv", "sirene"),
        ("StockEtablissement_utf8.parquet", "sirene"),
        ("StockEtablissementHistorique_utf8.parquet", "sirene_histo"),
        ("stockunitelegale_utf8.csv", None),
    ],
)
def test_insee_editions_are_known_by_their_names_b7(name, source):
    found = source_of(name)
    assert (found.name if found else None) == source


def test_the_parquet_edition_gives_the_rows_of_the_csv_edition_b7(tmp_path):
    source = BY_NAME["sirene_ul"]
    csv, parquet = tmp_path / "StockUniteLegale_utf8.csv", tmp_path / "StockUniteLegale_utf8.parquet"
    UNITS.write_csv(csv)
    UNITS.with_columns(pl.col("dateCreationUniteLegale").str.to_date(), extra=1).write_parquet(parquet)
    rows, (count,), quarantine = staged(source, csv)
    again, (other,), refused = staged(source, parquet)
    assert rows.height == 2
    assert again.equals(rows)
    assert (other.accepted, other.quarantined) == (count.accepted, count.quarantined) == (2, 1)
    assert refused.select("column", "expected", "found").equals(quarantine.select("column", "expected", "found"))
    assert refused["line"].to_list() == [3]
    assert "12345" in refused["raw"].item()


HISTORY = """
    select lpad((40000000000000 + n // 2)::varchar, if(n = 7, 13, 14), '0') as siret,
        case when n <> 3 then date '2020-01-01' + n::integer end as "dateDebut",
        case when n % 2 = 1 then date '2021-01-01' end as "dateFin",
        case when n = 4 then '' else ['A', 'F'][1 + n % 2] end as "etatAdministratifEtablissement",
        case when n <> 5 then n % 3 = 0 end as "changementEtatAdministratifEtablissement"
    from range(12) as t (n)
"""


def test_values_stored_in_their_type_give_the_rows_and_refusals_of_their_texts_b7(tmp_path):
    source = BY_NAME["sirene_histo"]
    sirens = [str(400000000 + n) for n in range(2)]
    found = []
    for kind in ("typed", "texts"):
        path = tmp_path / kind / "StockEtablissementHistorique_utf8.parquet"
        path.parent.mkdir()
        rows = f"select columns(*)::varchar from ({HISTORY})" if kind == "texts" else HISTORY
        duckdb.sql(f"copy ({rows}) to '{path}' (format parquet)")
        with duckdb.connect() as connection:
            label_tables.load(connection)
            connection.execute("create temp table perimeter as select unnest($1) as siren", [sirens])
            counts = read_source(connection, source, [path])
            cells = connection.execute(f"from ({query_of(source)}) order by all").fetchall()
            found.append((cells, counts, connection.execute("from quarantine order by all").fetchall()))
    typed, texts = found
    assert typed == texts
    rows, (count,), refused = typed
    assert (count.records, count.quarantined, len(refused)) == (12, 2, 2)
    assert count.accepted == len(rows) > 0
    assert count.outside < count.filtered


def test_dates_that_no_text_can_hold_are_refused_in_a_parquet_file_too(tmp_path):
    path = tmp_path / "StockEtablissementHistorique_utf8.parquet"
    never = "case n when 1 then date '12026-01-01' when 2 then date '0044-03-15 (BC)' else date '2020-01-01' end"
    duckdb.sql(
        f"""copy (select '51234567800019' as siret, {never} as "dateDebut", null::date as "dateFin",
        'A' as "etatAdministratifEtablissement", true as "changementEtatAdministratifEtablissement" from range(3) as t (n))
        to '{path}' (format parquet)"""
    )
    rows, (count,), refused = staged(BY_NAME["sirene_histo"], path)
    assert (rows.height, count.quarantined) == (1, 2)
    assert refused["expected"].to_list() == ["a date AAAA-MM-JJ"] * 2


def test_a_file_without_the_optional_column_of_naf_2025_is_valid(tmp_path):
    source = BY_NAME["sirene_ul"]
    faults = {}
    for name in ("StockUniteLegale_utf8.csv", "sireneUL.csv"):
        UNITS.write_csv(tmp_path / name)
        faults[name] = inspect(tmp_path / name, edition_of(source, tmp_path / name)).fault
    assert faults == {"StockUniteLegale_utf8.csv": None, "sireneUL.csv": None}


def test_a_damaged_parquet_file_is_refused(tmp_path):
    path = tmp_path / "StockUniteLegale_utf8.parquet"
    UNITS.write_parquet(path)
    assert inspect(path, edition_of(BY_NAME["sirene_ul"], path)).lines == 3
    path.write_bytes(path.read_bytes()[:-10])
    fault = inspect(path, BY_NAME["sirene_ul"]).fault
    assert fault.startswith(f"{path.name}: expected a complete Parquet file, found a damaged file or another format")


@pytest.mark.parametrize("name", ["increment.csv", "increment.csv.gz"])
@pytest.mark.parametrize("encoding", ["iso-8859-15", "utf-16"])
def test_an_edition_has_its_own_encoding_columns_blanks_and_trailer(tmp_path, name, encoding):
    source = replace(PAYDEX, editions=(replace(PAYDEX.editions[0], encoding=encoding),))
    path = tmp_path / name
    content = INCREMENT.encode(encoding)
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    arrival = inspect(path, edition_of(source, path))
    assert (arrival.fault, arrival.lines) == (None, 3)
    rows, (count,), quarantine = staged(source, path)
    assert rows.select("siren", "etat_organisation", "paydex").rows() == [(SIREN, "actif €", 12.5)]
    assert (count.records, count.accepted, count.filtered, count.quarantined) == (3, 1, 1, 1)
    assert quarantine.select("line", "column", "found").rows() == [(2, "date", "31/02/2024")]


def test_bytes_outside_the_declared_encoding_are_refused_with_their_place(tmp_path):
    edition = replace(PAYDEX.editions[0], encoding="utf-16")
    path = tmp_path / "increment.csv"
    path.write_bytes(INCREMENT.encode("utf-16")[:-1])
    assert inspect(path, edition).fault == "increment.csv, after line 2: expected utf-16, found bytes 0x0a"
    path.with_suffix(".csv.gz").write_bytes(gzip.compress(INCREMENT.encode("utf-16"))[:-9])
    assert "expected a complete gzip archive" in inspect(path.with_suffix(".csv.gz"), edition).fault


def test_a_sheet_is_read_like_text(tmp_path):
    path = tmp_path / "increment.xlsx"
    table = [line.split(";") for line in INCREMENT.splitlines()]
    pl.DataFrame(table[:2], orient="row", schema=["a", "b", "c", "d", "e"]).write_excel(path, include_header=False)
    assert inspect(path, edition_of(PAYDEX, path)).fault is None
    rows, (count,), _ = staged(PAYDEX, path)
    assert rows.select("siren", "etat_organisation", "paydex").rows() == [(SIREN, "actif €", 12.5)]
    assert (count.records, count.accepted, count.quarantined) == (2, 1, 1)


def test_a_workbook_of_two_sheets_or_none_is_refused(tmp_path):
    import xlsxwriter  # noqa: PLC0415

    path = tmp_path / "increment.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet()
        book.add_worksheet()
    assert inspect(path, edition_of(PAYDEX, path)).fault == "increment.xlsx: expected one sheet, found 2"
    path.write_bytes(b"no workbook")
    assert "expected a complete workbook" in inspect(path, edition_of(PAYDEX, path)).fault


PLACES = pl.DataFrame(
    {
        "siren": ["000325175", "512345678"],
        "nic": ["00016", "00019"],
        "etablissementSiege": ["true", "false"],
        "complementAdresseEtablissement": ["[ND]", "BAT A"],
        "numeroVoieEtablissement": ["[ND]", "7"],
        "indiceRepetitionEtablissement": ["[ND]", "B"],
        "typeVoieEtablissement": ["[ND]", "RUE"],
        "libelleVoieEtablissement": ["[ND]", "DES LILAS"],
        "libelleCommuneEtablissement": ["BOURG-EN-BRESSE", "PARIS"],
        "libelleCommuneEtrangerEtablissement": ["", ""],
        "distributionSpecialeEtablissement": ["[ND]", ""],
        "codeCommuneEtablissement": ["01053", "75101"],
        "codeCedexEtablissement": ["01000", ""],
        "libelleCedexEtablissement": ["[ND]", ""],
        "codePaysEtrangerEtablissement": ["", ""],
        "libellePaysEtrangerEtablissement": ["", ""],
        "codePostalEtablissement": ["01000", "75001"],
        "activitePrincipaleEtablissement": ["25.62B", "25.62B"],
        "nomenclatureActivitePrincipaleEtablissement": ["NAFRev2", "NAFRev2"],
        "dateCreationEtablissement": ["2001-02-03", "2001-02-03"],
        "coordonneeLambertAbscisseEtablissement": ["[ND]", "1.5"],
        "coordonneeLambertOrdonneeEtablissement": ["[ND]", "2.5"],
        "etatAdministratifEtablissement": ["A", "A"],
    }
)
GEOCODED = PLACES.with_columns(longitude=pl.Series(["[ND]", "2.35"]), latitude=pl.Series(["[ND]", "48.85"]))
ADDRESS = ("complement_adresse", "numero_voie", "indrep", "type_voie", "voie", "distribution_speciale", "cedex")


@pytest.mark.parametrize("frame", [PLACES, GEOCODED], ids=["as INSEE publishes it", "geocoded"])
@pytest.mark.parametrize(
    "name", ["extract.csv", "sirene (3).dat", "export", "stock-stocketablissement-parquet.parquet"]
)
def test_an_edition_is_recognised_by_its_header_whatever_its_name(tmp_path, frame, name):
    source, path = BY_NAME["sirene"], tmp_path / name
    if name.endswith((".dat", ".parquet")):
        frame.write_parquet(path)
    else:
        frame.write_csv(path)
    assert inspect(path, edition_of(source, path)).fault is None
    rows, (count,), refused = staged(source, path)
    assert (count.accepted, refused.height) == (2, 0)
    assert rows.sort("siren")["longitude"].to_list() == [None, 2.35 if "longitude" in frame.columns else None]


@pytest.mark.parametrize(
    ("names", "place"),
    [(("SIREN", "NB_JOURS", "DATE_VALEUR"), 2), (tuple("x" * n for n in range(1, 12)), 0)],
    ids=["retro", "stock"],
)
def test_a_described_file_of_altares_is_recognised_by_its_columns_or_their_number(tmp_path, names, place):
    path = tmp_path / "livraison.txt"
    path.write_text(";".join(names) + "\n")
    edition = edition_of(BY_NAME["paydex"], path)
    assert edition.cells == BY_NAME["paydex"].editions[place].cells


def test_a_file_of_no_edition_is_reported_with_the_missing_columns_of_the_closest_one(tmp_path):
    path = tmp_path / "extract.csv"
    PLACES.drop("nic").write_csv(path)
    assert "expected column nic in the header" in inspect(path, edition_of(BY_NAME["sirene"], path)).fault
    GEOCODED.drop("latitude").write_csv(tmp_path / "StockEtablissement_utf8_geo.csv")
    path = tmp_path / "StockEtablissement_utf8_geo.csv"
    # The name decides: a geocoded stock that lacks a coordinate is a faulty one, not an edition without coordinates.
    assert "expected column latitude in the header" in inspect(path, edition_of(BY_NAME["sirene"], path)).fault


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_value_that_insee_does_not_publish_is_unknown_and_quarantines_nothing(tmp_path, kind):
    path = tmp_path / f"extract.{kind}"
    getattr(GEOCODED, f"write_{kind}")(path)
    rows, (count,), refused = staged(BY_NAME["sirene"], path)
    assert (count.accepted, count.quarantined, count.cells, refused.height) == (2, 0, 0, 0)
    hidden, known = rows.sort("siren").to_dicts()
    assert [hidden[name] for name in (*ADDRESS, "longitude", "latitude")] == [None] * 9
    assert (hidden["commune"], hidden["code_commune"], hidden["code_postal"]) == ("BOURG-EN-BRESSE", "01053", "01000")
    assert (known["voie"], known["longitude"]) == ("DES LILAS", 2.35)
    units = UNITS.with_columns(
        denominationUniteLegale=pl.lit("[ND]"), nomUniteLegale=pl.lit("[ND]"), prenom1UniteLegale=pl.lit("[ND]")
    )
    path = tmp_path / f"units.{kind}"
    getattr(units, f"write_{kind}")(path)
    rows, *_ = staged(BY_NAME["sirene_ul"], path)
    for name in ("raison_sociale", "nom_unite_legale", "prenom1_unite_legale"):
        assert rows[name].to_list() == [None, None]


@pytest.mark.parametrize("whole", [pl.Int64, pl.Float64, pl.Decimal(18, 2)], ids=str)
def test_codes_that_come_as_numbers_keep_their_zeros_and_days_have_no_hour(tmp_path, whole):
    numbers = ["siren", "nic", "codeCommuneEtablissement", "codeCedexEtablissement", "codePostalEtablissement"]
    csv, parquet = tmp_path / "a.csv", tmp_path / "a.parquet"
    PLACES.write_csv(csv)
    PLACES.with_columns(
        pl.col(numbers).cast(pl.Int64, strict=False).cast(whole),
        pl.col("etablissementSiege") == "true",
        pl.col("dateCreationEtablissement").str.to_datetime("%Y-%m-%d"),
        numeroVoieEtablissement=pl.Series([None, 7]).cast(whole),
    ).write_parquet(parquet)
    rows, *_ = staged(BY_NAME["sirene"], csv)
    again, (count,), refused = staged(BY_NAME["sirene"], parquet)
    assert (count.accepted, refused.height) == (2, 0)
    assert again.sort("siren").equals(rows.sort("siren"))
    assert again.sort("siren")["siret"][0] == "00032517500016"
    units = UNITS.with_columns(categorieJuridiqueUniteLegale=pl.Series([0, 5499, None]).cast(whole))
    units.write_parquet(tmp_path / "u.parquet")
    rows, *_ = staged(BY_NAME["sirene_ul"], tmp_path / "u.parquet")
    assert rows["categorie_juridique"].to_list() == ["0000", "5499"]


def test_the_new_spelling_of_a_renamed_column_is_named_before_other_undeclared_columns(tmp_path):
    path = tmp_path / "sigfaible_debits.csv"
    names = (
        "Urssaf_gestion;Dep;num_cpte;Siren;Siret;Dt_immat;Etat_cpte;Cd_pro_col;Periode;Num_Ecn;Num_Hist_Ecn;Dt_trt_ecn"
    )
    path.write_text(f"{names};Montant_PO;Mt_PP;Cd_op_ecn;Motif_ecn;Recours_en_cours\n", encoding="utf-8")
    assert "expected column Mt_PO in the header" in inspect(path, BY_NAME["debit"]).fault
    assert "undeclared: Montant_PO, " in inspect(path, BY_NAME["debit"]).fault
