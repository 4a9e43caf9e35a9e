"""No file of a recipient holds a company, a column or a reason outside of its right (rules §13)."""

import json
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sf_assets.features.registry import BY_NAME, DETTE, FEATURES, NAMES, THEMES
from sf_assets.lists.columns import HEADERS
from sf_assets.lists.page.content import MONTHS_SHOWN, section_names, sheets_of
from sf_assets.lists.readme import About
from sf_assets.lists.reasons import main_reasons, reason_columns
from sf_assets.lists.spreadsheet import write_csv
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.threshold import ThresholdMethod
from sf_assets.publication.pages import page_of
from sf_assets.publication.rights import Right, rights_of
from sf_assets.publication.sharing import World, share_of
from sf_assets.sources.nomenclatures.label_tables import departments_of_regions
from sf_assets.sources.registry import SOURCES
from sf_assets.vocabulary.scopes import DGFIP, SCOPE_OF_SOURCE, SCOPES, SCORE, URSSAF
from sf_assets_tests.drawn import simulated

CUTOFF = date(2025, 9, 30)
DEPARTMENTS = ("21", "33", "69", "75", "2A", "974")
COMPANIES = 24
SIRENS = tuple(f"{n:09}" for n in range(1, COMPANIES + 1))
FEATURES_OF = simulated(COMPANIES, seed=4)[0].with_columns(siren=pl.Series(SIRENS))
METHOD = ThresholdMethod(NAMES).fit(FEATURES_OF, np.arange(COMPANIES) % 2 == 0)
CONTRIBUTIONS = np.abs(np.random.default_rng(4).normal(size=(COMPANIES, len(METHOD.features_))))
KINDS = {"integer": 3, "percent": 0.5, "month": CUTOFF}
ROWS = pl.DataFrame(
    {
        header.column: [KINDS.get(header.kind, f"{header.column} {siren}") for siren in SIRENS]
        for header in HEADERS
        if header.column not in reason_columns()
    }
).with_columns(siren=pl.Series(SIRENS), niveau=pl.Series([n % 3 for n in range(COMPANIES)]))


@cache
def reasons(allowed: frozenset[str]) -> pl.DataFrame:
    return main_reasons(FEATURES_OF, CONTRIBUTIONS, METHOD.features_, cutoff=CUTOFF, allowed=allowed)


def world(departments: dict[str, frozenset[str]], in_alert: frozenset[str]) -> World:
    return World(ROWS, departments, in_alert, METHOD.features_, reasons)


def right(zones: str = "21", droits: str = SCORE, suivis: str = "") -> Right:
    row = {
        "destinataire": "codefi-21",
        "role": "secrétaire permanent",
        "zones": zones,
        "droits": droits,
        "suivis": suivis,
        "revu_le": date(2025, 6, 1),
        "valable_jusqu_au": date(2026, 6, 1),
    }
    (made,) = rights_of([row], departments_of_regions())
    return made


WORLDS = st.builds(
    world,
    st.fixed_dictionaries({siren: st.frozensets(st.sampled_from(DEPARTMENTS), max_size=3) for siren in SIRENS}),
    st.frozensets(st.sampled_from(SIRENS)),
)
RIGHTS = st.builds(
    right,
    st.one_of(st.just("national"), st.lists(st.sampled_from([*DEPARTMENTS, "R27"]), min_size=1).map(" ".join)),
    st.lists(st.sampled_from(list(SCOPES)), min_size=1).map(" ".join),
    st.lists(st.sampled_from(SIRENS), max_size=2).map(",".join),
)


def stems_hidden_from(held: Right) -> set[str]:
    """Return how the reasons begin that a right does not cover, unless a reason that it covers begins alike."""
    allowed = held.features(NAMES)
    begins = {name: BY_NAME[name].phrase.partition("{")[0] for name in NAMES}
    shown = {begins[name] for name in allowed}
    return {stem for name, stem in begins.items() if name not in allowed and stem and stem not in shown}


@settings(max_examples=30, deadline=None)
@given(WORLDS, RIGHTS)
def test_no_share_holds_a_company_or_a_column_or_a_reason_outside_of_the_right(of: World, held: Right) -> None:
    share = share_of(held, of)
    for siren in share.rows["siren"]:
        in_zone = held.national or bool(held.departments & set(of.departments[siren]))
        assert siren in held.follows or (in_zone and siren in of.in_alert)
    for siren in set(SIRENS) - set(share.rows["siren"]):
        in_zone = held.national or bool(held.departments & set(of.departments[siren]))
        assert siren not in held.follows
        assert not (in_zone and siren in of.in_alert), "and whoever may see it does"
    assert set(share.rows.columns) == {header.column for header in HEADERS if header.scopes <= held.scopes}
    stated = [text for name in reason_columns() for text in share.rows[name].drop_nulls()]
    hidden = stems_hidden_from(held)
    assert not [text for text in stated for stem in hidden if text.startswith(stem)]
    if URSSAF not in held.scopes:
        assert not [text for text in stated if "URSSAF" in text or "dette de" in text]
    if DGFIP not in held.scopes:
        assert not [text for text in stated if "comptes clos" in text]
    if SCORE not in held.scopes:
        assert share.rows["siren"].is_sorted(), "the order of the list is part of the score"


@settings(max_examples=15, deadline=None)
@given(WORLDS, RIGHTS)
def test_no_file_holds_a_company_or_a_title_outside_of_the_right(
    tmp_path_factory: pytest.TempPathFactory, of: World, held: Right
) -> None:
    path: Path = tmp_path_factory.mktemp("share") / "liste.csv"
    share = share_of(held, of)
    write_csv(share.rows, path)
    content = path.read_text(encoding="utf-8-sig")
    absent = set(SIRENS) - set(share.rows["siren"])
    assert not [siren for siren in absent if siren in content]
    titles = content.splitlines()[0].split(";")
    assert not [header.title for header in HEADERS if not header.scopes <= held.scopes and header.title in titles]


PAGE_OF_ALL = sheets_of(
    ROWS.join(reasons(frozenset(METHOD.features_)), on="siren"),
    FEATURES_OF.with_columns(naf_section=pl.lit("C")),
    ROWS.select("siren", **{name: pl.lit([1.0] * MONTHS_SHOWN) for name in ("dette", "effectif", "risque")}),
    np.ones((COMPANIES, len(THEMES))),
    section_names(),
)
ABOUT = About(
    CUTOFF, CUTOFF, "m", probabilities=True, thresholds=Thresholds(modere=0.1, fort=0.2), staff=10, window=120
)


@settings(max_examples=30, deadline=None)
@given(WORLDS, RIGHTS)
def test_no_page_holds_a_company_or_a_figure_outside_of_the_right(of: World, held: Right) -> None:
    share = share_of(held, of)
    companies = FEATURES_OF.with_columns(naf_section=pl.lit("C"))
    text = page_of(held, share.rows, PAGE_OF_ALL, companies, ABOUT, hides_reasons=share.hides_reasons)
    assert not [siren for siren in set(SIRENS) - set(share.rows["siren"]) if siren in text]
    data = json.loads(text.partition('id="donnees">')[2].partition("</script>")[0])
    assert [one["siren"] for one in data["fiches"]] == share.rows["siren"].to_list()
    shown = {name for one in data["fiches"] for name, value in one.items() if value is not None}
    hidden = {"dette"} - ({"dette"} if URSSAF in held.scopes else set())
    hidden |= {"risque", "themes"} if SCORE not in held.scopes else set()
    hidden |= {"themes"} if held.features(NAMES) < set(NAMES) else set()
    assert not shown & hidden
    assert ('data-key="risque"' in text) == (SCORE in held.scopes)
    assert ("Certains motifs ne sont pas affichés" in text) == share.hides_reasons


# The worked examples of the doctrine: a person, a company, what is shown.
def test_an_establishment_in_the_zone_and_an_old_alert_open_score_and_urssaf_and_not_short_time_work() -> None:
    held = right("21", "score urssaf")
    assert held.sees(SIRENS[0], {"69", "21"}, ever_in_alert=True)
    assert {"score", "urssaf"} <= held.scopes
    assert held.may_state(BY_NAME["dette_par_effectif"])
    assert not held.may_state(BY_NAME["ap_consommee_par_effectif"])


def test_an_alert_elsewhere_opens_nothing() -> None:
    assert not right("21", "score").sees(SIRENS[0], {"69"}, ever_in_alert=True)


def test_a_follower_sees_short_time_work_and_no_score_of_a_company_elsewhere() -> None:
    held = right("33", "dgefp", suivis=SIRENS[0])
    of = world({SIRENS[0]: frozenset({"69"})}, frozenset())
    share = share_of(held, of)
    assert share.rows["siren"].to_list() == [SIRENS[0]]
    assert held.may_state(BY_NAME["ap_consommee_par_effectif"])
    assert not {"probabilite", "niveau", "rang", "evolution", "premiere_alerte"} & set(share.rows.columns)


def test_a_company_in_the_zone_that_was_never_in_alert_is_not_shown() -> None:
    assert not right("21", "score urssaf dgefp").sees(SIRENS[0], {"21"}, ever_in_alert=False)


def test_a_region_opens_its_departments_and_national_opens_all() -> None:
    assert right("R27").departments >= {"21", "58", "71", "89"}
    assert "69" not in right("R27").departments
    assert right("national").sees(SIRENS[0], {"974"}, ever_in_alert=True)


def test_a_reason_that_is_not_covered_is_replaced_by_the_next_one() -> None:
    pushes = np.zeros((COMPANIES, len(METHOD.features_)))
    for name, push in (("dette_par_effectif", 5.0), ("effectif", 3.0), ("age_entreprise", 1.0)):
        pushes[:, METHOD.features_.index(name)] = push

    def of(allowed: frozenset[str]) -> pl.DataFrame:
        return main_reasons(FEATURES_OF, pushes, METHOD.features_, cutoff=CUTOFF, allowed=allowed)

    names = frozenset(METHOD.features_)
    whole, held = of(names).row(0, named=True), right("national", "score")
    assert whole["motif_1"].startswith("Dette URSSAF")
    without = of(held.features(names)).row(0, named=True)
    assert (without["motif_1"], without["motif_2"], without["motif_3"]) == (whole["motif_2"], whole["motif_3"], None)
    both = World(ROWS, dict.fromkeys(SIRENS, frozenset({"21"})), SIRENS, METHOD.features_, of)
    assert share_of(held, both).hides_reasons
    assert not share_of(right("national", "score urssaf"), both).hides_reasons


def test_every_source_has_a_scope_or_is_open_and_a_new_one_is_hidden_from_everybody() -> None:
    own = {"filter", "acces", "retour"}
    assert {source.name for source in SOURCES} - own == set(SCOPE_OF_SOURCE)
    assert {scope for scope in SCOPE_OF_SOURCE.values() if scope} <= set(SCOPES)
    assert all(URSSAF in {SCOPE_OF_SOURCE[name] for name in one.sources} for one in FEATURES if one.theme == DETTE)
    everything = right("national", " ".join(SCOPES))
    assert everything.features(NAMES) == set(NAMES)
    unknown = type(FEATURES[0])("new", "new", DETTE, "€", ("source_of_tomorrow",), "", "")
    assert not everything.may_state(unknown)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2025, 12, 1), ""),
        (date(2025, 12, 2), "non revu depuis plus de 6 mois"),
        (date(2026, 6, 2), "expiré"),
    ],
)
def test_a_right_lapses_after_six_months_without_review_and_at_its_end(day: date, why: str) -> None:
    assert right().lapsed(day) == why
