"""The page of a list in a real browser: search, filters, order, a company's sheet, paper, and an audit of accessibility.

With `SCREENSHOTS=<folder>` the pages are stored there as pictures.
"""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from sf_assets.features.registry import NAMES, THEMES
from sf_assets.lists.page.content import MONTHS_SHOWN, Sheets, section_names, sheets_of
from sf_assets.lists.page.help import HELPS, helps_for
from sf_assets.lists.page.render import page
from sf_assets.lists.readme import About
from sf_assets.model.evaluation import Thresholds
from sf_assets.sources.arrival import inspect
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.reading import READERS, read_source
from sf_assets.staging.tables import query_of

ABOUT = About(
    date(2026, 10, 1),
    date(2026, 10, 31),
    "le boosting",
    probabilities=True,
    thresholds=Thresholds(modere=0.05, fort=0.2),
    staff=10,
    window=120,
)
LARGEST_LIST = 2000
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NAMES_SHOWN = (
    "Société <b>d'Exemple</b> & fils",
    "</script><script>document.title='lu'</script>",
    "ÉTABLISSEMENTS ŒUVRÉ",
)


def sheets(companies: int) -> Sheets:
    """Return the list of this many companies; the first three have names that need care."""
    drawn = np.random.default_rng(1)
    rank = np.arange(1, companies + 1)
    listed = pl.DataFrame(
        {
            "rang": rank,
            "siren": [f"{400000000 + n}" for n in rank],
            "raison_sociale": [*NAMES_SHOWN, *(f"ENTREPRISE {n}" for n in rank[3:])],
            "departement": [("01", "2A", "75")[n % 3] for n in rank],
            "effectif": [None, *(5.0 + n % 300 for n in rank[1:])],
            "niveau": np.where(rank <= companies // 10, 2, 1),
            "probabilite": 0.9 - 0.8 * rank / companies,
            "evolution": [("Nouvelle alerte", "Sans changement")[n % 2] for n in rank],
            "motif_1": ["La dette Urssaf représente 3,2 mois de cotisations"] * companies,
            "motif_2": [None if n % 2 else "L'effectif a baissé de 12 % en un an" for n in rank],
            "motif_3": [None] * companies,
        },
        schema_overrides={"motif_3": pl.String},
    )
    features = pl.DataFrame(
        {name: np.where(rank % 5 == 0, np.nan, 1.0) if name.startswith("fpi") else np.ones(companies) for name in NAMES}
    ).fill_nan(None)
    known = features.with_columns(
        listed["siren"], naf_section=pl.lit("C"), paydex=None, paydex_diff12m=None
    ).with_columns(pl.lit(None, pl.Float64).alias("paydex_mean12m"))
    months = [[None, *map(float, drawn.integers(0, 90_000, MONTHS_SHOWN - 1))] for _ in rank]
    alone = [[None] * (MONTHS_SHOWN - 1) + [0.9]] * companies
    evolution = listed.select("siren", dette=pl.Series(months), effectif=pl.Series(months), risque=pl.Series(alone))
    bars = drawn.normal(2, 4, (companies, len(THEMES)))
    bars[1] = np.nan
    return sheets_of(listed, known, evolution, bars, section_names())


def rendered(companies: int) -> str:
    return page(sheets(companies), ABOUT)


@dataclass(frozen=True)
class Reader:
    """Opens pages from a folder, as an officer does from a file."""

    browser: Any
    folder: Path

    def open(self, companies: int, *, scheme: str = "light", width: int = 1200, **options: Any) -> Any:
        """Open the page of a list; nothing may be requested besides the file, and no error may be logged."""
        path = self.folder / f"{companies}.html"
        if not path.exists():
            path.write_text(rendered(companies), encoding="utf-8")
        opened = self.browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
        opened.set_default_timeout(20_000)
        opened.on(
            "request",
            lambda request: (
                (_ for _ in ()).throw(AssertionError(request.url)) if request.url != path.as_uri() else None
            ),
        )
        opened.on("pageerror", lambda error: (_ for _ in ()).throw(AssertionError(error)))
        opened.goto(path.as_uri())
        return opened


@pytest.fixture(scope="module")
def reader(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(browser, tmp_path_factory.mktemp("page"))


def shown(opened: Any) -> list[str]:
    return [name.strip() for name in opened.locator("tbody tr:not([hidden]) .name").all_inner_texts()]


def faults(opened: Any) -> list[tuple[str, list[str]]]:
    """Return the broken rules of accessibility, with the first elements that break each."""
    found = Axe().run(opened, options={"runOnly": RULES}).response["violations"]
    return [(fault["id"], [node["html"] for node in fault["nodes"]][:2]) for fault in found]


def photograph(opened: Any, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        opened.screenshot(path=Path(folder) / f"{name}.png")


def test_the_purpose_comes_before_any_company(reader: Reader) -> None:
    text = rendered(20)
    assert text.index("Cette liste sert à aider") < text.index("<table>")
    assert text.index("ne sert jamais à contrôler") < text.index("<table>")


def test_names_are_text_wherever_they_stand(reader: Reader) -> None:
    opened = reader.open(20)
    assert shown(opened)[:3] == list(NAMES_SHOWN)
    assert opened.title() == "Signaux Faibles : Octobre 2026"
    opened.get_by_role("button", name=NAMES_SHOWN[1]).click()
    assert opened.locator("dialog h2").inner_text() == NAMES_SHOWN[1]
    assert opened.title() == "Signaux Faibles : Octobre 2026"


def test_search_and_filters_leave_what_matches_and_say_how_many(reader: Reader) -> None:
    opened = reader.open(20)
    for text in ("etablissements oeuvre", "Œuvré établissements"):
        opened.get_by_label("Rechercher").fill(text)
        assert shown(opened) == [NAMES_SHOWN[2]]
    assert opened.get_by_role("status").inner_text() == "1 affichée sur 20"
    opened.get_by_label("Rechercher").fill("400 000 007")
    assert shown(opened) == ["ENTREPRISE 7"]
    opened.get_by_label("Rechercher").fill("400000007")
    assert shown(opened) == ["ENTREPRISE 7"]
    opened.get_by_role("button", name="Tout afficher").click()
    opened.get_by_text("20 affichées sur 20").wait_for()
    opened.get_by_label("Département", exact=True).select_option("2A")
    opened.get_by_label("Niveau", exact=True).select_option("Risque modéré")
    assert shown(opened) == [f"ENTREPRISE {n}" for n in range(4, 20, 3)]
    opened.get_by_label("Effectif", exact=True).select_option("20 à 49")
    assert shown(opened) == ["ENTREPRISE 16", "ENTREPRISE 19"]


def test_a_column_is_sorted_both_ways_as_numbers_or_as_french_words(reader: Reader) -> None:
    opened = reader.open(20)
    by_size = opened.locator("thead").get_by_role("button", name="Effectif")
    by_size.click()
    assert shown(opened)[:2] == [NAMES_SHOWN[0], NAMES_SHOWN[1]], "unknown first, then the smallest"
    by_size.click()
    assert shown(opened)[0] == "ENTREPRISE 20"
    assert opened.locator("th[aria-sort]").all_inner_texts() == ["Effectif"]
    opened.locator("thead").get_by_role("button", name="Risque").click()
    assert shown(opened)[0] == "ENTREPRISE 20"


def test_a_sheet_is_opened_read_and_left_with_the_keyboard(reader: Reader) -> None:
    opened = reader.open(20)
    opened.get_by_role("button", name="ENTREPRISE 4", exact=True).focus()
    opened.keyboard.press("Enter")
    sheet = opened.get_by_role("dialog")
    text = sheet.inner_text()
    for heading in ("Pourquoi", "évolution sur deux ans", "compose le risque", "n'était pas connu", "pouvez proposer"):
        assert heading in text
    assert "L'effectif a baissé de 12 % en un an" in text
    assert "Retards de paiement fournisseurs" not in text.split("n'était pas connu")[1]
    photograph(opened, "fiche")
    sheet.get_by_role("button", name="Suivante").click()
    assert sheet.get_by_role("heading", level=2).inner_text() == "ENTREPRISE 5"
    assert "Retards de paiement fournisseurs" in sheet.inner_text().split("n'était pas connu")[1]
    opened.keyboard.press("Escape")
    expect(sheet).not_to_be_visible()
    # A dialog returns the focus after it was closed.
    expect(opened.get_by_role("button", name="ENTREPRISE 5", exact=True)).to_be_focused()


def test_bars_that_do_not_add_up_to_the_risk_are_left_out(reader: Reader) -> None:
    opened = reader.open(20)
    opened.get_by_role("button", name=NAMES_SHOWN[1]).click()
    assert "compose le risque" not in opened.get_by_role("dialog").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_and_a_sheet_have_no_fault_of_accessibility(reader: Reader, scheme: str) -> None:
    opened = reader.open(20, scheme=scheme)
    photograph(opened, f"liste_{scheme}")
    assert faults(opened) == []
    opened.locator(".name").first.click()
    assert faults(opened) == []


def test_a_reader_without_the_right_to_scores_has_a_page_without_them(reader: Reader) -> None:
    whole = sheets(20)
    restricted = Sheets(
        whole.rows.drop("rang", "niveau", "libelle_niveau", "probabilite", "evolution"),
        whole.sheets.with_columns(risque=None, themes=None),
        hides_reasons=True,
    )
    (reader.folder / "19.html").write_text(page(restricted, ABOUT), encoding="utf-8")
    opened = reader.open(19)
    titles = opened.locator("thead th").all_inner_texts()
    assert titles == ["Entreprise", "Dépt", "Secteur", "Effectif", "Premier motif"]
    assert opened.get_by_text("Certains motifs ne sont pas affichés").is_visible()
    opened.locator("thead").get_by_role("button", name="Effectif").click()
    opened.get_by_role("button", name="ENTREPRISE 4", exact=True).click()
    text = opened.get_by_role("dialog").inner_text()
    assert "isque" not in text.split("Pourquoi")[1].split("proposer")[0]


def test_on_a_narrow_screen_only_the_table_scrolls(reader: Reader) -> None:
    opened = reader.open(20, width=400)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 400


def test_paper_has_the_list_without_its_controls_and_a_sheet_alone(reader: Reader) -> None:
    opened = reader.open(20)
    opened.emulate_media(media="print")
    assert not opened.get_by_label("Rechercher").is_visible()
    assert opened.get_by_text("ENTREPRISE 4", exact=True).is_visible()
    opened.emulate_media(media="screen")
    opened.get_by_role("button", name="ENTREPRISE 4", exact=True).click()
    opened.emulate_media(media="print")
    assert not opened.locator("table").first.is_visible()
    assert opened.get_by_role("dialog").get_by_text("Pourquoi").is_visible()


def test_the_longest_list_stays_small_and_opens_at_once(reader: Reader) -> None:
    opened = reader.open(LARGEST_LIST)
    assert (reader.folder / f"{LARGEST_LIST}.html").stat().st_size <= 5_000_000
    assert len(shown(opened)) == LARGEST_LIST
    opened.get_by_label("Rechercher").fill("ENTREPRISE 1999")
    assert shown(opened) == ["ENTREPRISE 1999"]


def test_what_is_proposed_follows_the_reasons_and_is_never_empty() -> None:
    always = helps_for([])
    assert always
    assert all(not HELPS[position].themes for position in always)
    assert any("CCSF" in HELPS[position].text for position in helps_for(["dette_urssaf"]))
    assert not any("CCSF" in HELPS[position].text for position in helps_for(["activite_partielle"]))


def test_answers_filled_in_on_the_page_are_read_back_as_they_were_given(reader: Reader, tmp_path: Path) -> None:
    remark = '- rappeler le « gérant » ;\nil est "absent"'
    (reader.folder / "18.html").write_text(page(sheets(20), ABOUT, recipient="codefi-01@dgfip"), encoding="utf-8")
    opened = reader.open(18)
    export = opened.get_by_role("button", name="Exporter les réponses")
    assert export.is_disabled()
    opened.get_by_role("button", name="ENTREPRISE 4", exact=True).click()
    opened.get_by_label("Contactée", exact=True).select_option("Oui")
    opened.get_by_label("Contactée le").fill("2026-11-12")
    opened.get_by_label("Utilité").select_option("Déjà connue")
    opened.get_by_label("Remarque").fill(remark)
    assert faults(opened) == []
    photograph(opened, "reponse")
    dialog = opened.get_by_role("dialog")
    dialog.get_by_role("button", name="Suivante").click()
    assert opened.get_by_label("Remarque").input_value() == "", "the next company has no answer yet"
    opened.get_by_label("Aide proposée").fill("délai de paiement")
    dialog.get_by_role("button", name="Suivante").click()
    opened.get_by_label("Utilité").select_option("Utile")
    opened.get_by_label("Utilité").select_option("")
    dialog.get_by_role("button", name="Précédente").click()
    assert opened.get_by_label("Aide proposée").input_value() == "délai de paiement"
    opened.keyboard.press("Escape")
    assert opened.get_by_text("2 réponses à exporter").is_visible()
    with opened.expect_download() as download:
        export.click()
    path = tmp_path / download.value.suggested_filename
    assert path.name == "retour_codefi-01-dgfip_2610.csv"
    download.value.save_as(path)
    source = BY_NAME["retour"]
    assert inspect(path, source).fault is None
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute("create temp table published as select '400000004' as company, '2610' as first_list union all "
                           "select '400000005', '2610'")  # fmt: skip
        connection.execute(READERS)
        (count,) = read_source(connection, source, [path])
        rows = connection.execute(
            f"select * exclude (file_number, line) from ({query_of(source)}) order by siren"
        ).fetchall()
    assert (count.accepted, count.filtered, count.quarantined) == (2, 0, 0)
    of_list = ("2610", "codefi-01@dgfip")
    assert rows == [
        ("400000004", *of_list, True, date(2026, 11, 12), "Déjà connue", None, f"'{remark}"),
        ("400000005", *of_list, None, None, None, "délai de paiement", None),
    ]


def test_the_page_of_the_whole_list_takes_no_answers(reader: Reader) -> None:
    assert 'id="repondre"' not in rendered(20)
    assert 'id="exporter"' not in rendered(20)


def test_the_last_answer_is_shown_beside_the_company_and_on_its_sheet(reader: Reader) -> None:
    whole = sheets(20)
    answered = pl.when(pl.col("rang") == 4).then(pl.lit("Utile, contactée le 12/12/2025"))
    (reader.folder / "17.html").write_text(
        page(Sheets(whole.rows.with_columns(derniere_reponse=answered), whole.sheets), ABOUT), encoding="utf-8"
    )
    opened = reader.open(17)
    assert "Dernière réponse" in opened.locator("thead th").all_inner_texts()
    opened.get_by_role("button", name="ENTREPRISE 4", exact=True).click()
    assert "contactée le 12/12/2025" in opened.get_by_role("dialog").inner_text()
    assert "Dernière réponse" not in rendered(20), "a column without a value is left out"
