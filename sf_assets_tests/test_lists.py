"""Alert levels, reasons, the application's document and the files that officers receive."""

import dataclasses
import json
import re
import zipfile
from datetime import date
from importlib.resources import files
from types import SimpleNamespace
from xml.etree import ElementTree

import duckdb
import numpy as np
import polars as pl
import pytest

from sf_assets.engine.queries import read_query
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.features.registry import FEATURES, FINANCES, NAMES, THEMES
from sf_assets.lists.columns import HEADERS
from sf_assets.lists.departures import departures
from sf_assets.lists.document import Edition, document, list_name
from sf_assets.lists.export import HandedOver, write_list
from sf_assets.lists.previous_list import with_previous_list
from sf_assets.lists.readme import About, readme_lines
from sf_assets.lists.reasons import main_reasons, reason_columns
from sf_assets.lists.selection import LEVELS, select
from sf_assets.lists.wording import evolution, quantity
from sf_assets.model.evaluation import ReferenceRate, Thresholds
from sf_assets.model.explanations import waterfall
from sf_assets.model.threshold import ThresholdMethod

FEBRUARY = date(2026, 2, 1)
MONTH = date(2026, 3, 1)
CUTOFF = date(2026, 3, 31)
THRESHOLDS = Thresholds(modere=0.05, fort=0.15)


def scored(*scores: float, **columns: list) -> pl.DataFrame:
    count = len(scores)
    described = {
        "siren": [f"{i:09}" for i in range(count)],
        "probabilite": list(scores),
        "procedure_connue": [None] * count,
        "dans_perimetre": [True] * count,
        "raison_sociale": [f"ENTREPRISE {i}" for i in range(count)],
        "siret_siege": [f"{i:09}00012" for i in range(count)],
        "code_naf": ["43.21A"] * count,
        "code_naf25": ["43.21G"] * count,
        "libelle_activite_principale": ["Travaux d'installation électrique"] * count,
        "adresse": ["1 RUE DE LA GARE\n01000 BOURG-EN-BRESSE"] * count,
        "code_commune": ["01004"] * count,
        "departement": ["01"] * count,
        "libelle_region": ["Auvergne-Rhône-Alpes"] * count,
        "effectif": [12.0] * count,
        "evolution": ["Nouvelle alerte"] * count,
        "premiere_alerte": [MONTH] * count,
        "corrections": pl.Series([None] * count, dtype=pl.String),
        "deja_connue_depuis": pl.Series([None] * count, dtype=pl.Date),
        "derniere_reponse": pl.Series([None] * count, dtype=pl.String),
    }
    return pl.DataFrame(described | columns, schema_overrides={"procedure_connue": pl.String})


def rows_of(*companies: dict[str, float]) -> pl.DataFrame:
    described = [{"siren": f"{i:09}", **values} for i, values in enumerate(companies)]
    return pl.DataFrame(described, schema={"siren": pl.String} | dict.fromkeys(NAMES, pl.Float64))


# Selection


@pytest.mark.parametrize(
    ("probability", "name"),
    [
        (0.0, "Pas d'alerte"),
        (0.0499999, "Pas d'alerte"),
        (0.05, "Alerte seuil F2"),
        (0.1499999, "Alerte seuil F2"),
        (0.15, "Alerte seuil F1/2"),
        (1.0, "Alerte seuil F1/2"),
    ],
)
def test_a_score_equal_to_a_threshold_reaches_it(probability, name):
    found = select(scored(probability), THRESHOLDS)
    assert found["alerte"].to_list() == [name]
    assert found["niveau"].to_list() == [[level.name for level in LEVELS].index(name)]


def test_ranks_follow_scores_then_sirens():
    found = select(scored(0.1, 0.3, 0.1, 0.2), THRESHOLDS)
    assert found["siren"].to_list() == ["000000001", "000000003", "000000000", "000000002"]
    assert found["rang"].to_list() == [1, 2, 3, 4]
    assert select(scored(0.1, 0.3, 0.1, 0.2).reverse(), THRESHOLDS).equals(found)


def test_companies_in_a_procedure_or_outside_the_perimeter_are_marked_and_not_in_alert():
    companies = scored(
        0.9, 0.8, 0.7, procedure_connue=["liquidation", None, None], dans_perimetre=[True, False, True]
    )  # fmt: skip
    found = select(companies, THRESHOLDS).sort("siren")
    assert found["niveau"].to_list() == [0, 0, 2]
    assert found["rang"].to_list() == [None, None, 1]
    assert found["exclusion"].to_list() == ["procédure collective connue", "hors périmètre", None]
    assert found["probabilite"].to_list() == [0.9, 0.8, 0.7]


@pytest.mark.parametrize(
    ("companies", "message"),
    [
        (scored(0.1, 1.2), "found 1 others"),
        (scored(0.1, float("nan")), "found 1 others"),
        (scored(0.1).with_columns(probabilite=pl.lit(None, pl.Float64)), "found 1 others"),
        (scored(0.1, 0.2, siren=["000000001"] * 2), "found 1 repeated"),
        (scored(0.1, dans_perimetre=[None]).cast({"dans_perimetre": pl.Boolean}), "found unknown values"),
    ],
)
def test_scores_that_cannot_make_a_list_are_refused(companies, message):
    with pytest.raises(ValueError, match=message):
        select(companies, THRESHOLDS)


# Wording


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "€", "0 €"),
        (850.4, "€", "850 €"),
        (4_234, "€", "4,2 k€"),
        (42_000, "€", "42 k€"),
        (1_250_000, "€", "1,2 M€"),
        (3.4e9, "€", "3,4 Md€"),
        (-4_234, "€/person", "−4,2 k€"),
        (3.2, "month", "3,2 mois"),
        (3.0, "month", "3 mois"),
        (0.12, "share", "12 %"),
        (0.034, "share", "3,4 %"),
        (-0.5, "share", "−50 %"),
        (1, "person", "1 salarié"),
        (2, "person", "2 salariés"),
        (0, "hour", "0 heure"),
        (1_234_567, "hour", "1 234 567 heures"),
        (1.9, "day", "1,9 jour"),
        (1.96, "day", "2 jours"),
        (12, "hour/person", "12 heures"),
        (0.02, "year", "moins d'un mois"),
        (0.3, "year", "3 mois"),
        (1.6, "year", "19 mois"),
        (4.9, "year", "4 ans"),
        (0.851, "ratio", "0,85"),
        (7.85, "ratio", "7,8"),
        (-0.001, "ratio", "0"),
        (1e14, "ratio", "100 000 000 000 000"),
    ],
)
def test_a_quantity_reads_as_french_writes_it(value, unit, text):
    frame = pl.DataFrame({"value": [float(value)], "unit": [unit]})
    found = frame.select(quantity(pl.col("value"), pl.col("unit"))).item()
    assert found.replace("\xa0", " ") == text
    assert " " not in found.replace("moins d'un mois", "")


def test_a_change_reads_as_a_rise_or_a_fall():
    frame = pl.DataFrame({"value": [0.12, -3.0], "unit": ["share", "day"]})
    found = frame.select(evolution(pl.col("value"), pl.col("unit"))).to_series().to_list()
    assert found == ["a augmenté de 12\xa0%", "a baissé de 3\xa0jours"]


# Reasons


def reasons(values: dict[str, float], pushes: dict[str, float], typical: dict[str, float] | None = None) -> list[str]:
    contributions = np.array([[pushes.get(name, 0.0) for name in NAMES]])
    usual = None if typical is None else np.array([typical.get(name, 0.0) for name in NAMES])
    found = main_reasons(rows_of(values), contributions, NAMES, cutoff=CUTOFF, typical=usual)
    assert found.columns == ["siren", *reason_columns()]
    return [text.replace("\xa0", " ") for text in found.row(0)[1:] if text is not None]


def test_the_three_strongest_reasons_are_stated_in_order():
    values = {"dette_sur_cotisation_mean12m": 3.2, "effectif_variation12m": -0.12, "paydex": 45, "ebe_sur_ca": -0.04}
    pushes = {"effectif_variation12m": 0.5, "dette_sur_cotisation_mean12m": 1.5, "paydex": 0.4, "ebe_sur_ca": 0.3}
    assert reasons(values, pushes) == [
        "La dette URSSAF représente 3,2 mois de cotisations",
        "L'effectif a baissé de 12 % en un an",
        "Les fournisseurs sont payés avec 45 jours de retard",
    ]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("dette_sociale_ouvriere", 42_000, "Dette URSSAF, part ouvrière : 42 k€"),
        ("dette_sociale_patronale_lag3m", 1_500, "Dette URSSAF, part patronale, il y a 3 mois : 1,5 k€"),
        ("dette_sur_cotisation_diff6m", 2.5, "La dette URSSAF a augmenté de 2,5 mois de cotisations en six mois"),
        ("dette_par_effectif_diff3m", 900, "La dette URSSAF par salarié a augmenté de 900 € en trois mois"),
        ("mois_en_dette_12m", 7, "Une dette URSSAF pendant 7 mois sur les 12 derniers"),
        ("delai_en_cours", 1, "Un délai de paiement URSSAF est en cours"),
        ("ap_consommee_par_effectif_mean12m", 20, "Activité partielle de 20 heures par salarié et par mois sur un an"),
        ("paydex_diff12m", 1, "Le retard de paiement aux fournisseurs a augmenté de 1 jour en un an"),
        ("fpi_90", 0.07, "7 % des factures ont plus de 90 jours de retard"),
        ("solidite_financiere", 0.12, "Les capitaux propres représentent 12 % du bilan"),
        ("liquidite_absolue", 0.5, "L'actif circulant vaut 0,5 fois le passif circulant"),
        ("dette_nette_sur_caf", 12, "La dette nette vaut 12 fois la capacité d'autofinancement d'une année"),
        (
            "rentabilite_economique_diff12m",
            -0.015,
            "La rentabilité économique a baissé de 1,5 point entre deux exercices",
        ),
        ("fpi_30_diff12m", 0.12, "La part des factures en retard de plus de 30 jours a augmenté de 12 points en un an"),
        ("delais_rompus_24m", 2, "Délais de paiement URSSAF arrivés à terme avec une dette en deux ans : 2"),
        ("age_entreprise", 3.7, "Entreprise créée il y a 3 ans"),
    ],
)
def test_a_reason_states_its_fact(name, value, sentence):
    assert reasons({name: value}, {name: 1.0}) == [sentence]


def test_the_first_reason_of_a_theme_ends_with_its_basis():
    known = {
        "dette_sociale_ouvriere": 2_000.0, "dette_sociale_patronale": 40_000.0, "dette_sur_cotisation_mean12m": 2.8,
        "mois_en_dette_12m": 7.0, "ebe_sur_ca": -0.04, "age_comptes": 90 / 30.4375,
    }  # fmt: skip
    pushes = {"dette_sur_cotisation_mean12m": 1.5, "mois_en_dette_12m": 1.0, "ebe_sur_ca": 0.5}
    assert reasons(known, pushes) == [
        "La dette URSSAF représente 2,8 mois de cotisations (dette de 42 k€ fin mars 2026)",
        "Une dette URSSAF pendant 7 mois sur les 12 derniers",
        "L'excédent brut d'exploitation représente −4 % du chiffre d'affaires (comptes clos en décembre 2025)",
    ]


def test_reasons_count_from_the_cut_off_wherever_it_falls():
    # Accounts closed on 31 December are 80 days old on 21 March: that is no January.
    debts = {"dette_sociale_patronale": 42_000.0, "dette_sociale_ouvriere": 0.0}
    rows = rows_of({"age_comptes": 80 / 30.4375, "ebe_sur_ca": -0.04} | debts)
    contributions = np.zeros((1, len(NAMES)))
    contributions[0, [NAMES.index("ebe_sur_ca"), NAMES.index("dette_sociale_patronale")]] = (1.0, 0.9)
    found = main_reasons(rows, contributions, NAMES, cutoff=date(2026, 3, 21))
    texts = " ".join(found.select("motif_1", "motif_2").row(0))
    assert "comptes clos en décembre\N{NO-BREAK SPACE}2025" in texts
    assert "au 21 mars\N{NO-BREAK SPACE}2026" in texts


def test_every_feature_has_a_complete_sentence():
    for feature in FEATURES:
        (sentence,) = reasons({feature.name: 1.0}, {feature.name: 1.0})
        assert "{" not in sentence
        assert sentence[0].isupper() or sentence[0].isdigit()


def test_a_ratio_of_accounts_that_may_be_a_reason_is_a_sentence():
    bare = [one.name for one in FEATURES if one.risk and one.theme == FINANCES and one.phrase.endswith(": {value}")]
    assert bare == []


def test_unknown_protective_and_minor_values_are_not_reasons():
    assert reasons({"paydex": 45.0, "effectif": 9.0}, {"paydex": -0.2, "fpi_30": 0.9, "effectif": 0.04}) == []


def test_a_quantity_seen_at_several_dates_gives_one_reason():
    values = {"dette_sociale_patronale": 9_000, "dette_sociale_patronale_lag1m": 8_000, "paydex": 60}
    pushes = {"dette_sociale_patronale": 0.3, "dette_sociale_patronale_lag1m": 0.4, "paydex": 0.2}
    assert reasons(values, pushes) == [
        "Dette URSSAF, part patronale, il y a 1 mois : 8 k€",
        "Les fournisseurs sont payés avec 60 jours de retard",
    ]


def test_a_theme_gives_two_reasons_at_the_most():
    values = {"dette_sociale_ouvriere": 1e4, "dette_par_effectif": 1e3, "mois_en_dette_12m": 9, "paydex": 60}
    pushes = {"dette_sociale_ouvriere": 0.5, "dette_par_effectif": 0.4, "mois_en_dette_12m": 0.3, "paydex": 0.2}
    assert reasons(values, pushes)[2] == "Les fournisseurs sont payés avec 60 jours de retard"


def test_a_value_on_the_safe_side_of_the_usual_one_is_not_a_reason():
    typical = {"paydex": 10.0, "liquidite_generale": 1.5}
    pushes = {"dette_sociale_ouvriere_lag12m": 0.5, "paydex": 0.4, "liquidite_generale": 0.3}
    safe = {"dette_sociale_ouvriere_lag12m": 0, "paydex": 3, "liquidite_generale": 2.0}
    assert reasons(safe, pushes, typical) == []
    risky = {"dette_sociale_ouvriere_lag12m": 500, "paydex": 30, "liquidite_generale": 0.4}
    assert len(reasons(risky, pushes, typical)) == 3


def test_an_unset_flag_and_a_zero_change_are_not_reasons():
    assert reasons({"delai_en_cours": 0, "paydex_diff12m": 0}, {"delai_en_cours": 1, "paydex_diff12m": 1}) == []


def test_reasons_keep_the_order_of_the_companies_even_without_any():
    contributions = np.zeros((3, len(NAMES)))
    contributions[2, NAMES.index("paydex")] = 1
    found = main_reasons(rows_of({}, {}, {"paydex": 45.0}), contributions, NAMES, cutoff=CUTOFF)
    assert found["siren"].to_list() == ["000000000", "000000001", "000000002"]
    assert [text is None for text in found["motif_1"]] == [True, True, False]


def test_an_empty_list_has_no_reason():
    found = main_reasons(rows_of(), np.zeros((0, len(NAMES))), NAMES, cutoff=CUTOFF)
    assert found.schema == {"siren": pl.String} | dict.fromkeys(reason_columns(), pl.String)
    assert found.is_empty()


def test_limits_reached_are_the_reasons_of_the_threshold_method():
    rows = rows_of({"dette_sur_cotisation_mean12m": 3.5, "effectif_variation12m": -0.31, "paydex": 12.0})
    method = ThresholdMethod(NAMES).fit(rows, [True])
    found = main_reasons(rows, method.contributions(rows), NAMES, cutoff=CUTOFF, typical=method.typical_)
    assert found.row(0)[1:] == (
        "La dette URSSAF représente 3,5 mois de cotisations",
        "L'effectif a baissé de 31\xa0% en un an",
        None,
    )


# Comparison with previous lists


def once_listed(*rows: tuple[date, str, int, int], exported: dict[date, int]) -> pl.DataFrame:
    """Run the query on lists (month, siren, level, version) and the versions handed over."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("create table list_alerts (month date, siren varchar, niveau integer, version integer)")
        connection.execute("create table list_export (month date, list_version integer, version integer)")
        connection.executemany("insert into list_alerts values (?, ?, ?, ?)", [list(row) for row in rows])
        # Files made again without a change of the list are a version of their own.
        connection.executemany("insert into list_export values (?, 1, 1)", [[month] for month in exported])
        connection.executemany("insert into list_export values (?, ?, 7)", [list(one) for one in exported.items()])
        query = read_query(files("sf_assets.lists"), "previous_alerts")
        return connection.execute(query.text, {"month": MONTH}).pl()


JANUARY, FEBRUARY, APRIL = date(2026, 1, 1), date(2026, 2, 1), date(2026, 4, 1)


def test_an_alert_has_its_evolution_since_last_month_and_its_first_month():
    former = once_listed(
        (JANUARY, "000000000", 2, 1),
        (FEBRUARY, "000000000", 1, 1),
        (FEBRUARY, "000000001", 1, 1),
        (FEBRUARY, "000000002", 2, 1),
        (JANUARY, "000000003", 1, 1),
        exported={JANUARY: 1, FEBRUARY: 1},
    )
    alerts = select(scored(0.4, 0.3, 0.1, 0.1, 0.06), THRESHOLDS).drop("evolution", "premiere_alerte")
    found = with_previous_list(alerts, former, MONTH, compared=True).sort("siren")
    assert found["evolution"].to_list() == [
        "En hausse", "En hausse", "En baisse", "Nouvelle alerte", "Nouvelle alerte",
    ]  # fmt: skip
    assert found["premiere_alerte"].to_list() == [JANUARY, FEBRUARY, FEBRUARY, JANUARY, MONTH]


def test_only_lists_handed_over_before_the_month_count_each_in_its_last_version():
    former = once_listed(
        (FEBRUARY, "000000000", 2, 1),
        (FEBRUARY, "000000001", 1, 2),
        (FEBRUARY, "000000002", 1, 3),
        (MONTH, "000000003", 1, 1),
        (APRIL, "000000004", 1, 1),
        exported={FEBRUARY: 2, MONTH: 1, APRIL: 1},
    )
    assert former.rows() == [("000000001", FEBRUARY, 1)]


def test_without_a_list_of_last_month_there_is_no_evolution():
    former = once_listed((JANUARY, "000000000", 1, 1), exported={JANUARY: 1})
    alerts = select(scored(0.4), THRESHOLDS).drop("evolution", "premiere_alerte")
    found = with_previous_list(alerts, former, MONTH, compared=False)
    assert (found["evolution"].item(), found["premiere_alerte"].item()) == (None, JANUARY)


# The document

EDITION = Edition(month=MONTH, cutoff=CUTOFF, algo="logistique 0.1.0", thresholds=THRESHOLDS)


def written(companies: pl.DataFrame, contributions: np.ndarray, features=NAMES) -> list[dict]:
    found = select(companies, THRESHOLDS)
    alerts = found.filter(pl.col("niveau") > 0)
    explained = waterfall(contributions, alerts["probabilite"].to_numpy(), features)
    return json.loads("".join(document(found, alerts, explained, features, EDITION)))


def test_the_document_by_example():
    features = ("cotisation", "dette_par_effectif", "effectif", "paydex")
    companies = scored(0.01, 0.4, code_commune=["01004", None])
    quiet, alert = written(companies, np.array([[0.15, 0.05, 0.05, -0.05]]), features)
    assert quiet == {
        "siren": "000000000",
        "code_naf": "43.21A",
        "code_commune": "01004",
        "région": "Auvergne-Rhône-Alpes",
        "Risque de défaillance": 1.0,
        "alert": "Pas d'alerte",
        "idListe": "Mars 2026",
        "batch": "2603 date 2026-03-31",
        "algo": "logistique 0.1.0",
        "période": "2026-3-01",
        "Seuil modéré": 0.05,
        "Seuil fort": 0.15,
    }
    assert list(alert) == [*quiet, "macroExpl", "microExpl"]
    assert alert["alert"] == "Alerte seuil F1/2"
    assert alert["code_commune"] is None
    assert list(alert["macroExpl"]) == list(THEMES.values())
    assert alert["macroExpl"]["Dettes sociales"] == pytest.approx(40)
    assert alert["microExpl"]["Dettes sociales"] == pytest.approx({"cotisation": 30, "dette_par_effectif": 10})
    assert alert["microExpl"]["Retards de paiement fournisseurs"] == pytest.approx({"paydex": -10})


def test_bars_of_each_company_stay_with_it_and_add_up():
    companies = scored(0.06, 0.02, 0.9, 0.2, procedure_connue=[None, None, "liquidation", None])
    contributions = np.zeros((2, len(NAMES)))
    contributions[0, NAMES.index("paydex")] = 1
    contributions[1, NAMES.index("effectif")] = 1
    entries = written(companies, contributions)
    assert [entry["siren"] for entry in entries] == ["000000000", "000000001", "000000002", "000000003"]
    assert [entry["alert"] for entry in entries] == [
        "Alerte seuil F2",
        "Pas d'alerte",
        "Pas d'alerte",
        "Alerte seuil F1/2",
    ]
    assert ["macroExpl" in entry for entry in entries] == [True, False, False, True]
    assert entries[3]["microExpl"]["Retards de paiement fournisseurs"]["paydex"] == pytest.approx(20)
    assert entries[0]["macroExpl"]["Variation de l'effectif de l'entreprise"] == pytest.approx(6)


def test_an_undefined_bar_is_null():
    (entry,) = written(scored(0.4), np.zeros((1, len(NAMES))))
    assert set(entry["macroExpl"].values()) == {None}


def test_a_month_without_alert_has_a_document_without_bars():
    entries = written(scored(0.01, 0.02), np.zeros((0, len(NAMES))))
    assert ["macroExpl" in entry for entry in entries] == [False, False]


def test_an_alert_without_explanation_is_refused():
    found = select(scored(0.4, 0.5), THRESHOLDS)
    explained = waterfall(np.ones((1, len(NAMES))), np.array([0.4]), NAMES)
    with pytest.raises(ValueError, match="found 1 without"):
        list(document(found, found[:1], explained, NAMES, EDITION))


@pytest.mark.parametrize(("month", "name"), [((2026, 2), "Février 2026"), ((2025, 12), "Décembre 2025")])
def test_a_list_bears_the_name_of_its_month(month, name):
    assert list_name(date(*month, 1)) == name


# The files


# In CSV, digits written this way stay a text: a spreadsheet would drop the zero of 01.
AS_TEXT = '"=""{}"""'
PAGE = "<!doctype html>\n"
ABOUT = About(MONTH, CUTOFF, "Régression logistique", probabilities=True, thresholds=THRESHOLDS, staff=10, window=120)


def listed(*scores: float, **columns: list) -> pl.DataFrame:
    found = select(scored(*scores, **columns), THRESHOLDS)
    texts = {"motif_1": pl.lit("L'effectif a baissé de 12\xa0% en un an"), "motif_2": pl.lit(None, pl.String)}
    return found.with_columns(**texts, motif_3=pl.lit(None, pl.String))


def sheets(path) -> dict[str, list[list[str | None]]]:
    """Read the cells of a workbook, row by row, by name of sheet."""
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(path) as book:
        names = [name for name in book.namelist() if name.endswith(".xml")]
        parts = {name: ElementTree.fromstring(book.read(name)) for name in names}  # noqa: S314 - our own file
    texts = ["".join(item.itertext()) for item in parts["xl/sharedStrings.xml"].findall("m:si", space)]
    found = {}
    for i, sheet in enumerate(parts["xl/workbook.xml"].findall("m:sheets/m:sheet", space), 1):
        rows = parts[f"xl/worksheets/sheet{i}.xml"].findall("m:sheetData/m:row", space)
        found[sheet.get("name")] = [
            [
                texts[int(cell.findtext("m:v", "", space))]
                if cell.get("t") == "s"
                else cell.findtext("m:v", None, space)
                for cell in row.findall("m:c", space)
            ]
            for row in rows
        ]
        assert not parts[f"xl/worksheets/sheet{i}.xml"].findall(".//m:f", space), "a formula"
    return found


def test_the_five_files_are_written_and_read_back(tmp_path):
    alerts = listed(0.4, 0.067_89)
    paths = write_list(alerts, ["[\n", '{"siren":"000000000"}', "\n]\n"], page=PAGE, root=tmp_path, about=ABOUT)
    assert [path.name for path in paths] == [
        f"liste_2603.{kind}" for kind in ("parquet", "csv", "xlsx", "json", "html")
    ]
    assert sorted(paths) == sorted((tmp_path / "2603").iterdir())
    parquet, csv, xlsx, document_, html = paths
    assert pl.read_parquet(parquet).equals(alerts)
    assert json.loads(document_.read_text(encoding="utf-8")) == [{"siren": "000000000"}]
    assert html.read_text(encoding="utf-8") == PAGE
    lines = csv.read_bytes().decode("utf-8-sig").split("\r\n")
    assert csv.read_bytes().startswith(b"\xef\xbb\xbf")
    assert lines[0].split(";") == [
        header.title
        for header in HEADERS
        if header.column not in ("corrections", "deja_connue_depuis", "derniere_reponse", "tranche")
    ]
    first = dict(zip(lines[0].split(";"), lines[2].split(";"), strict=True))
    assert first == {
        "Rang": "2",
        "SIREN": AS_TEXT.format("000000001"),
        "Raison sociale": "ENTREPRISE 1",
        "Département": AS_TEXT.format("01"),
        "Activité": "Travaux d'installation électrique",
        "Effectif": "12",
        "Niveau d'alerte": "Risque modéré",
        "Risque": "6,8 %",
        "Évolution": "Nouvelle alerte",
        "Première alerte": AS_TEXT.format("03/2026"),
        "Premier motif": "L'effectif a baissé de 12\xa0% en un an",
        "Deuxième motif": "",
        "Troisième motif": "",
        "Adresse": "1 RUE DE LA GARE, 01000 BOURG-EN-BRESSE",
        "SIRET du siège": AS_TEXT.format("00000000100012"),
        "Région": "Auvergne-Rhône-Alpes",
        "Code commune": AS_TEXT.format("01004"),
        "Code NAF": "43.21A",
        "Code NAF 2025": "43.21G",
        "Données au": AS_TEXT.format("31/03/2026"),
    }
    book = sheets(xlsx)
    assert list(book) == ["Liste", "Lisez-moi"]
    assert book["Liste"][0] == lines[0].split(";")
    assert book["Liste"][1][:3] == ["1", "000000000", "ENTREPRISE 0"]
    assert book["Liste"][2][6:8] == ["Risque modéré", "0.068"]
    assert [row[0] for row in book["Lisez-moi"]] == [text for _, text in readme_lines(ABOUT)]


def test_the_workbook_has_its_header_frozen_and_risks_in_percent(tmp_path):
    path = write_list(listed(0.4), ["[]"], page=PAGE, root=tmp_path, about=ABOUT)[2]
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert 'ySplit="1"' in sheet
        assert 'state="frozen"' in sheet
        assert '<pageSetup paperSize="9" fitToHeight="0" orientation="landscape"/>' in sheet
        assert '<pageSetUpPr fitToPage="1"/>' in sheet
        assert "Données connues au 31/03/2026" in sheet
        names = book.read("xl/workbook.xml").decode()
        assert "Liste!$1:$1</definedName>" in names
        # Codes and addresses are right of what is printed: reasons stay legible on paper.
        assert "Liste!$A$1:$M$2</definedName>" in names
        assert 'formatCode="0.0\xa0%"' in book.read("xl/styles.xml").decode()
        assert "2026-03-31T00:00:00Z" in book.read("docProps/core.xml").decode()


def test_rows_are_as_high_as_their_longest_text(tmp_path):
    long = ["Une phrase de quarante-huit caractères, à peu près. " * 4, "Courte."]
    alerts = listed(0.4, 0.3, raison_sociale=["A", "B"]).with_columns(motif_1=pl.Series(long))
    path = write_list(alerts, ["[]"], page=PAGE, root=tmp_path, about=ABOUT)[2]
    with zipfile.ZipFile(path) as book:
        sheet, readme = (book.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2))
        styles = book.read("xl/styles.xml").decode()
    assert [points(sheet, row) for row in (2, 3)] == [8 * 15, 2 * 15], "an activity takes two lines"
    assert 'wrapText="1"' in styles
    lines = enumerate(readme_lines(ABOUT), start=1)
    assert all(points(readme, row) >= 15 * len(text) / 110 for row, (_, text) in lines)


def points(sheet: str, row: int) -> float:
    """Return the height of a row; a file leaves out the usual one."""
    found = re.search(rf'<row r="{row}"[^>]* ht="([\d.]+)"', sheet)
    return float(found[1]) if found else 15.0


def test_companies_that_left_the_list_are_named_with_the_reason(tmp_path):
    gone = pl.DataFrame(
        {
            "siren": ["000000007"],
            "raison_sociale": ["PARTIE SARL"],
            "niveau_precedent": [2],
            "raison": ["procédure collective connue"],
        }
    )
    book = sheets(write_list(listed(0.4), ["[]"], page=PAGE, root=tmp_path, about=ABOUT, gone=gone)[2])
    assert list(book) == ["Liste", "Sorties", "Lisez-moi"]
    assert book["Sorties"][1] == ["PARTIE SARL", "000000007", "Risque fort", "procédure collective connue"]


def test_who_left_the_list_is_read_from_the_last_list_handed_over():
    rows = [(FEBRUARY, "000000001", 2, 1), (FEBRUARY, "000000002", 1, 1), (FEBRUARY, "000000003", 1, 1),
            (FEBRUARY, "000000009", 2, 2), (MONTH, "000000002", 1, 1)]  # fmt: skip
    with duckdb.connect(config={"threads": 1}) as connection:
        schema = "month date, siren varchar, niveau integer, version integer"
        connection.execute(f"create table list_alerts ({schema}, raison_sociale varchar default 'X')")
        connection.executemany("insert into list_alerts (month, siren, niveau, version) values (?, ?, ?, ?)", rows)
        connection.execute(
            "create table list_export as select $1::date as month, 1 as version, 1 as list_version", [FEBRUARY]
        )
        session = SimpleNamespace(connection=connection, bind=lambda _: None)
        companies = pl.DataFrame(
            {"siren": ["000000001", "000000002"], "exclusion": ["procédure collective connue", None]}
        )
        gone = departures(session, MONTH, 1, companies)
    assert gone.select("siren", "niveau_precedent", "raison").rows() == [
        ("000000001", 2, "procédure collective connue"),
        ("000000003", 1, "n'est plus suivie (cessation, plus de salarié, ou effectif inconnu)"),
    ]


def test_the_same_list_gives_the_same_bytes(tmp_path):
    first = write_list(listed(0.4, 0.06), ["[]"], page=PAGE, root=tmp_path / "a", about=ABOUT)
    second = write_list(listed(0.4, 0.06), ["[]"], page=PAGE, root=tmp_path / "b", about=ABOUT)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_name_that_looks_like_a_formula_stays_a_text(tmp_path):
    names = ["=HYPERLINK(1)", "@HOME", "+ BELLE"]
    _, csv, xlsx, _, _ = write_list(
        listed(0.4, 0.3, 0.2, raison_sociale=names), ["[]"], page=PAGE, root=tmp_path, about=ABOUT
    )
    assert [line.split(";")[2] for line in csv.read_text(encoding="utf-8-sig").splitlines()[1:]] == [
        f"'{name}" for name in names
    ]
    assert [row[2] for row in sheets(xlsx)["Liste"][1:]] == names


def test_digits_that_are_not_a_number_stay_texts_in_a_spreadsheet(tmp_path):
    names = ["24/7", "1E5", "007", "3 SUISSES", "2A"]
    alerts = listed(0.5, 0.4, 0.3, 0.2, 0.1, raison_sociale=names, departement=["01", "2A", "75", "976", None])
    csv = write_list(alerts, ["[]"], page=PAGE, root=tmp_path, about=ABOUT)[1]
    found = [line.split(";") for line in csv.read_text(encoding="utf-8-sig").splitlines()[1:]]
    assert [line[2] for line in found] == [*map(AS_TEXT.format, names[:3]), "3 SUISSES", "2A"]
    assert [line[3] for line in found] == [AS_TEXT.format("01"), "2A", AS_TEXT.format("75"), AS_TEXT.format("976"), ""]
    assert found[0][0] == "1", "a rank is a number"


def test_a_new_list_of_the_month_replaces_the_former_as_a_whole(tmp_path):
    write_list(listed(0.4), ["[]"], page=PAGE, root=tmp_path, about=ABOUT)
    (tmp_path / "2603" / "left.txt").write_text("of the former list")
    paths = write_list(listed(0.4, 0.3), ["[]"], page=PAGE, root=tmp_path, about=ABOUT)
    assert sorted((tmp_path / "2603").iterdir()) == sorted(paths)
    assert pl.read_parquet(paths[0]).height == 2
    assert [path.name for path in tmp_path.iterdir()] == ["2603"]


def test_a_failure_while_writing_leaves_the_former_list(tmp_path):
    def cut():
        yield "["
        raise OSError("disk full")

    paths = write_list(listed(0.4), ["[]"], page=PAGE, root=tmp_path, about=ABOUT)
    before = [path.read_bytes() for path in paths]
    with pytest.raises(OSError, match="disk full"):
        write_list(listed(0.4, 0.3), cut(), page=PAGE, root=tmp_path, about=ABOUT)
    assert [path.read_bytes() for path in paths] == before
    assert [path.name for path in tmp_path.iterdir()] == ["2603"]


def test_files_handed_over_stay_aside_when_any_of_them_changes(tmp_path):
    first = write_list(listed(0.4), ["[]"], page=PAGE, root=tmp_path, about=ABOUT)
    kept = [path.read_bytes() for path in first]
    former = HandedOver(1, 1, {path.name: sha256_of(path) for path in first})
    write_list(listed(0.4), ["[]"], page=PAGE, root=tmp_path, about=ABOUT, handed_over=former)
    assert [path.name for path in tmp_path.iterdir()] == ["2603"], "the same files are the same version"
    # The alerts are the same: only the document, which holds all companies, is another one.
    write_list(listed(0.4), ["[1]"], page=PAGE, root=tmp_path, about=ABOUT, handed_over=former)
    # Written again, the second version does not take the place of the first.
    write_list(listed(0.6), ["[]"], page=PAGE, root=tmp_path, about=ABOUT, handed_over=former)
    assert [(tmp_path / "2603_v1" / path.name).read_bytes() for path in first] == kept
    assert pl.read_parquet(first[0])["probabilite"].to_list() == [0.6]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2603", "2603_v1"]


def test_an_empty_list_is_a_list(tmp_path):
    paths = write_list(listed(0.4)[:0], ["[]"], page=PAGE, root=tmp_path, about=ABOUT)
    assert len(paths[1].read_text(encoding="utf-8-sig").splitlines()) == 1
    assert sheets(paths[2])["Liste"][0] == [header.title for header in HEADERS if not header.optional]


def test_a_list_without_its_columns_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match="expected columns siren, motif_1"):
        write_list(listed(0.4).drop("siren", "motif_1"), ["[]"], page=PAGE, root=tmp_path, about=ABOUT)


def test_the_readme_states_the_purpose_of_the_list_and_why_there_is_no_model():
    statement = "Historique insuffisant pour apprendre un modèle en 03/2026."
    about = About(
        MONTH,
        CUTOFF,
        "Méthode à seuils",
        probabilities=False,
        thresholds=THRESHOLDS,
        staff=10,
        window=120,
        statement=statement,
    )
    text = "\n".join(line for _, line in readme_lines(about)).replace("\xa0", " ")
    assert "Elle ne sert jamais à contrôler" in text
    assert "Risque fort : à partir de 15,0 %. Risque modéré : à partir de 5,0 %." in text
    assert "ce n'est pas une probabilité" in text
    assert "le 31/03/2026" in text
    assert statement in text
    assert statement not in "".join(line for _, line in readme_lines(ABOUT))


def test_the_readme_states_the_choice_of_method_the_changes_and_the_accepted_checks():
    about = dataclasses.replace(
        ABOUT,
        choice="retenue par l'évaluation de 10/2026",
        changes=("Seuil du risque fort : 15,0 %, au lieu de 14,0 %.",),
        accepted=("stg_debit, debts_like_before : fichier vérifié",),
        window=36,
        precision_fort=0.187,
        precision_modere=None,
    )
    text = [line.replace("\xa0", " ") for _, line in readme_lines(about)]
    assert "Méthode : Régression logistique, retenue par l'évaluation de 10/2026." in text
    assert any("seule une évaluation, ou une décision motivée" in line for line in text)
    assert "Seuil du risque fort : 15,0 %, au lieu de 14,0 %." in text
    assert text[text.index("stg_debit, debts_like_before : fichier vérifié") - 1].startswith("Contrôles qui refusaient")
    (worth,) = (line for line in text if line.startswith("Sur 100"))
    assert worth.startswith("Sur 100 alertes de risque fort des mois passés, 19 entreprises ont connu")
    assert any("au moins 10 personnes au cours d'un des 36 derniers mois" in line for line in text)
    without = [line for _, line in readme_lines(ABOUT)]
    assert "Aucune liste n'a été remise le mois dernier." in without
    assert not any(line.startswith("Contrôles") for line in without)


def test_the_readme_says_which_failure_rate_the_risks_refer_to():
    reference = ReferenceRate(date(2024, 10, 1), date(2025, 3, 1), 0.0234, 0.6, 0.4, 0.8)
    known = dataclasses.replace(ABOUT, reference=reference)
    assert "2,3\xa0% des entreprises suivies de 10/2024 à 03/2025" in " ".join(text for _, text in readme_lines(known))
    for silent in (ABOUT, dataclasses.replace(known, probabilities=False)):
        assert "Elle se rapporte" not in " ".join(text for _, text in readme_lines(silent)), (
            "points are no probabilities"
        )
