"""Figures of published lists: contacts, delays, usefulness, outcomes; small groups are hidden."""

from datetime import date

import duckdb
import polars as pl
import pytest

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage.shape import declared_types
from sf_assets.evaluation.answers import HIDDEN, answer_figures
from sf_assets.evaluation.effect import effect_rows
from sf_assets.evaluation.help_report import group_table, help_lines
from sf_assets.evaluation.tables import ANSWERS
from sf_assets.lists.tables import ALERTS
from sf_assets.lists.tables import ANSWERS as LIST_ANSWERS
from sf_assets.model.tables import TARGET
from sf_assets.publication.tables import PUBLICATION

LIST = date(2025, 9, 1)


def companies(**columns: list[object]) -> pl.DataFrame:
    count = len(next(iter(columns.values())))
    default: dict[str, list[object]] = {
        "mois_liste": [LIST] * count, "siren": [f"{n:09}" for n in range(count)], "niveau": [1] * count,
        "probabilite": [0.1] * count, "departement": ["21"] * count, "region": ["Bourgogne"] * count,
        "code_naf": ["25.62B"] * count, "effectif": [12.0] * count, "contactee": [False] * count,
        "delai": [None] * count, "avis": [None] * count, "defaillance": [None] * count,
    }  # fmt: skip
    types = {"delai": pl.Int64, "avis": pl.List(pl.String), "defaillance": pl.Boolean}
    return pl.DataFrame(default | columns, schema_overrides=types)


def figure(
    rows: pl.DataFrame, name: str, dimension: str = "ensemble", group: str = "ensemble", level: int = 1
) -> tuple:
    found = rows.filter(mesure=name, dimension=dimension, groupe=group, niveau=level)
    return found.select("entreprises", "valeur", "bas", "haut", "raison").row(0)


def test_contacts_delays_opinions_and_outcomes_are_counted_among_those_they_are_about() -> None:
    rows = answer_figures(
        companies(
            niveau=[2] * 20 + [1] * 20,
            contactee=[True] * 12 + [False] * 28,
            delai=list(range(1, 12)) + [None] * 29,
            avis=[["Utile"]] * 9 + [["Déjà connue", "Utile"]] * 3 + [None] * 28,
            defaillance=[True] * 3 + [False] * 33 + [None] * 4,
        )
    )
    assert rows.columns == list(ANSWERS.column_names)
    count, share, low, high, _ = figure(rows, "contactees")
    assert (count, share) == (40, pytest.approx(0.3))
    assert (low, high) == (pytest.approx(0.1807, abs=1e-3), pytest.approx(0.4543, abs=1e-3)), "Wilson's interval"
    assert figure(rows, "contactees", level=2)[:2] == (20, pytest.approx(0.6))
    assert figure(rows, "delai_jours")[:4] == (11, 6.0, 3.0, 10.0)
    assert figure(rows, "utiles")[:2] == (12, 1.0)
    assert figure(rows, "deja_connues")[:2] == (12, 0.25), "conflicting opinions count on both sides"
    assert figure(rows, "defaillances")[:2] == (36, pytest.approx(3 / 36))
    assert figure(rows, "defaillances_contactees")[:2] == (12, 0.25)
    assert figure(rows, "defaillances_autres")[:2] == (24, 0.0)
    assert figure(rows, "contactees", "section", "C")[0] == 40
    assert figure(rows, "contactees", "taille", "10 à 19")[0] == 40


def test_a_company_that_nobody_contacted_has_no_delay() -> None:
    with duckdb.connect() as connection:
        for table in (PUBLICATION, LIST_ANSWERS, ALERTS, TARGET):
            columns = ", ".join(f"{name} {type_}" for name, type_ in declared_types(table).items())
            connection.execute(f"create table {table.name} ({columns})")
        connection.execute(
            "insert into list_publication (month, version, list_version, published_at) values ($1, 1, 1, '2025-10-10')",
            [LIST],
        )
        for siren, contacted, day in (("1", True, "2025-10-13"), ("2", True, "2025-10-01"), ("3", False, None)):
            connection.execute("insert into list_alerts (month, version, siren) values ($1, 1, $2)", [LIST, siren])
            connection.execute(
                "insert into list_answers (siren, mois_liste, contactee, contactee_le) values ($2, $1, $3, $4)",
                [LIST, siren, contacted, day],
            )
        connection.execute("insert into list_alerts (month, version, siren) values ($1, 1, '4')", [LIST])
        rows = connection.execute(read_sql("sf_assets.evaluation", "answered_companies")).pl()
    assert dict(rows.select("siren", "delai").iter_rows()) == {"1": 3, "2": 0, "3": None, "4": None}


def test_a_figure_of_fewer_than_eleven_companies_is_hidden_and_so_is_the_one_that_would_give_it_away() -> None:
    rows = answer_figures(companies(departement=["21"] * 10 + ["33"] * 11 + ["69"] * 30, contactee=[True] * 51))
    assert figure(rows, "contactees", "departement", "21") == (None, None, None, None, HIDDEN)
    assert figure(rows, "contactees", "departement", "33") == (None, None, None, None, HIDDEN)
    assert figure(rows, "contactees", "departement", "69")[0] == 30
    two = answer_figures(companies(departement=["21"] * 10 + ["33"] * 10 + ["69"] * 30))
    assert figure(two, "contactees", "departement", "69")[0] == 30
    assert set(two.filter(pl.col("entreprises") < 11)["entreprises"]) <= {0}


def test_before_any_answer_and_any_outcome_a_figure_says_why_it_is_missing() -> None:
    rows = answer_figures(companies(niveau=[1] * 20))
    assert figure(rows, "contactees")[:2] == (20, 0.0)
    assert figure(rows, "utiles") == (0, None, None, None, "nobody yet")
    assert figure(rows, "defaillances") == (0, None, None, None, "nobody yet")
    assert answer_figures(companies(niveau=[])).is_empty()


def test_the_report_says_in_french_what_was_answered_and_hides_small_groups() -> None:
    answers = answer_figures(companies(departement=["21"] * 10 + ["33"] * 15 + ["69"] * 30, contactee=[True] * 55))
    effect = effect_rows(pl.DataFrame(schema=dict.fromkeys(["mois_liste", "siren"], pl.String)))
    lines = [line.replace("\xa0", " ") for line in help_lines(answers, effect)]
    assert lines[:3] == [
        "liste de 09/2025, niveau toutes",
        "  contactées : 100,0 % sur 55 [93,5 % ; 100,0 %]",
        "  délai médian du contact (jours) : –",
    ]
    assert lines[-1].endswith("– (pas assez d'entreprises dont l'issue est connue)")
    titles, rows = group_table(answers, "departement")
    assert titles[0] == "Département"
    assert [row[:2] for row in rows][:2] == [["21", "moins de 11"], ["33", "moins de 11"]]
    assert next(help_lines(answer_figures(companies(niveau=[])), effect)) == "aucune liste publiée avant ce mois"
