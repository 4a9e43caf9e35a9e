"""Expert rules (rules §12.5): signals known at the cut-off, votes limited to one level, rules named on the list."""

from datetime import date
from importlib.resources import files

import duckdb
import polars as pl
import pytest

from sf_assets.engine.queries import read_query
from sf_assets.lists.expert_rules import (
    DEBT_IS_MAIN_THEME,
    EXPERT_RULES,
    NAMES,
    SIGNALS,
    ExpertRule,
    apply_expert_rules,
)
from sf_assets.lists.selection import LEVELS, select, with_corrected_levels
from sf_assets.model.evaluation import Thresholds
from sf_assets.settings import Settings

MONTH, CUTOFF = date(2026, 3, 1), date(2026, 3, 31)
SIREN = "000000001"
DEBTS = ("dette_sociale_ouvriere", "dette_sociale_patronale")
LAGS = ("", "_lag3m", "_lag12m")


def company(level: int, *true: str) -> pl.DataFrame:
    return pl.DataFrame({"siren": [SIREN], "niveau": [level]} | {name: [name in true] for name in SIGNALS})


def corrected(level: int, *true: str, rules: tuple[str, ...] = NAMES) -> tuple[int, str | None]:
    found = apply_expert_rules(company(level, *true), rules, MONTH)
    return (level, None) if found.is_empty() else found.select("niveau", "corrections").row(0)


def test_no_rule_goes_beyond_the_strong_level():
    assert corrected(LEVELS[-1].rank, *SIGNALS[4:]) == (LEVELS[-1].rank, None)


def test_the_worked_example():
    level, rules = corrected(1, "solvabilite_faible", "k_propres_negatifs", "demande_activite_partielle_elevee")
    assert level == 2
    assert rules == (
        "activité partielle demandée pour plus de 240 jours ; comptes fragiles (solvabilité, rentabilité, capitaux propres)"
    )


@pytest.mark.parametrize(
    ("level", "true", "expected"),
    [
        (0, ("solvabilite_faible",), 0),
        (0, ("solvabilite_faible", "k_propres_negatifs"), 1),
        (0, ("solvabilite_faible", "k_propres_negatifs", "rentabilite_faible"), 1),
        (2, ("dette_urssaf_ancienne_significative",), 2),
        (2, ("dette_urssaf_ancienne_significative", "diminution_dette_urssaf_ancienne"), 1),
        (0, ("dette_urssaf_ancienne_significative", "diminution_dette_urssaf_ancienne"), 0),
        (1, ("augmentation_dette_urssaf_recente",), 2),
        (1, ("augmentation_dette_urssaf_recente", DEBT_IS_MAIN_THEME), 1),
        (2, ("demande_activite_partielle_elevee",), 2),
        # Votes that cancel each other change nothing.
        (
            1,
            (
                "dette_urssaf_ancienne_significative",
                "diminution_dette_urssaf_ancienne",
                "demande_activite_partielle_elevee",
            ),
            1,
        ),
    ],
)
def test_votes_add_up_within_one_level(level, true, expected):
    assert corrected(level, *true)[0] == expected


def test_only_the_rules_named_apply_and_none_by_default():
    assert corrected(0, "demande_activite_partielle_elevee", rules=("comptes_fragiles",)) == (0, None)
    assert corrected(0, *SIGNALS, rules=()) == (0, None)
    assert Settings.from_environment({}).corrections == ()
    assert Settings.from_environment({"SF_CORRECTIONS": "dette_apuree, dette_recente"}).corrections == (
        "dette_apuree",
        "dette_recente",
    )
    with pytest.raises(ValueError, match=r"SF_CORRECTIONS: .*expected names among dette_apuree"):
        Settings.from_environment({"SF_CORRECTIONS": "dette"})
    with pytest.raises(ValueError, match="found dette"):
        apply_expert_rules(company(0), ("dette",), MONTH)


def test_a_rule_holds_within_its_period():
    rule = ExpertRule("x", "x", pl.lit(1), "x", since=date(2022, 9, 1), until=date(2024, 2, 1))
    assert [rule.applies(date(*day)) for day in ((2022, 8, 1), (2022, 9, 1), (2024, 2, 1), (2024, 3, 1))] == [
        False, True, True, False,
    ]  # fmt: skip
    assert all(one.applies(MONTH) and one.reason and one.label for one in EXPERT_RULES)


def test_the_list_keeps_the_level_of_the_model_beside_the_corrected_one():
    companies = select(
        pl.DataFrame(
            {
                "siren": [SIREN, "000000002"],
                "probabilite": [0.1, 0.2],
                "procedure_connue": pl.Series([None, None], dtype=pl.String),
                "dans_perimetre": [True, True],
            }
        ),
        Thresholds(modere=0.05, fort=0.5),
    )
    changed = pl.DataFrame({"siren": [SIREN], "corrige": [2], "corrections": ["comptes fragiles"]})
    found = with_corrected_levels(companies.join(changed, on="siren", how="left")).sort("siren")
    assert found.select("niveau", "niveau_modele", "alerte").rows() == [
        (2, 1, "Alerte seuil F1/2"),
        (1, None, "Alerte seuil F2"),
    ]


# Signals


@pytest.fixture
def signals():
    """Give the signals of one company from its features, its demands of short-time work and its returns of VAT."""
    with duckdb.connect(config={"threads": 1}) as connection:
        features = [f"{debt}{lag}" for debt in DEBTS for lag in LAGS] + [
            "cotisation_mean12m", "dette_nette_sur_caf", "ebe_sur_ca", "k_propres_sur_k_social",
        ]  # fmt: skip
        connection.execute(
            f"create table feat_matrix (siren varchar, {', '.join(f'{name} double' for name in features)})"
        )
        connection.execute(
            "create table stg_apdemande (id_demande varchar, siret varchar, motif_recours integer, date_statut date, "
            "periode_debut date, periode_fin date)"
        )
        connection.execute(
            "create table clean_tva (siren varchar, date_deb_tva date, date_fin_tva date, date_depot date, "
            "m_tva_bi_b0979_ca double)"
        )

        def signals(demands=(), returns=(), **known: float) -> set[str]:
            names = ["siren", *known]
            connection.execute("delete from feat_matrix")
            connection.execute(
                f"insert into feat_matrix ({', '.join(names)}) values ({', '.join('?' * len(names))})",
                [SIREN, *known.values()],
            )
            for table, rows in (("stg_apdemande", demands), ("clean_tva", returns)):
                connection.execute(f"delete from {table}")
                for row in rows:
                    connection.execute(f"insert into {table} values ({', '.join('?' * len(row))})", list(row))
            query = read_query(files("sf_assets.lists"), "list_signals")
            (row,) = connection.execute(query.text, {"cutoff": CUTOFF}).pl().iter_rows(named=True)
            return {name for name, value in row.items() if value is True}

        yield signals


def demand(first, last, *, nic="00012", reason=1, decided=date(2025, 4, 1), number=None):
    return number, f"{SIREN}{nic}", reason, decided, first, last


def test_unknown_values_give_no_signal(signals):
    assert signals() == set()


def test_debts_are_compared_with_a_year_of_contributions(signals):
    old = {
        "dette_sociale_ouvriere_lag12m": 0.0,
        "dette_sociale_patronale_lag12m": 1_300.0,
        "cotisation_mean12m": 1_000.0,
    }
    paid = {"dette_sociale_ouvriere": 0.0, "dette_sociale_patronale": 100.0}
    assert signals(**old) == {"dette_urssaf_ancienne_significative"}
    assert signals(**old, **paid) == {"dette_urssaf_ancienne_significative", "diminution_dette_urssaf_ancienne"}
    assert signals(**old | {"cotisation_mean12m": 1_100.0}) == set()
    new = {"dette_sociale_ouvriere": 0.0, "dette_sociale_patronale": 1_300.0, "cotisation_mean12m": 1_000.0}
    before = {"dette_sociale_ouvriere_lag3m": 0.0, "dette_sociale_patronale_lag3m": 0.0}
    assert signals(**new, **before) == {"augmentation_dette_urssaf_recente"}


def test_days_of_short_time_work_count_once_per_establishment_as_known_at_the_cutoff(signals):
    long = demand(date(2025, 5, 1), date(2025, 12, 28))  # 241 days, the last not counted
    assert signals([long]) == {"demande_activite_partielle_elevee"}
    assert signals([demand(date(2025, 5, 1), date(2025, 12, 27))]) == set()
    overlapping = [demand(date(2025, 5, 1), date(2025, 10, 1)), demand(date(2025, 6, 1), date(2025, 11, 1))]
    assert signals(overlapping) == set()
    elsewhere = [demand(date(2025, 5, 1), date(2025, 9, 1)), demand(date(2025, 9, 1), date(2026, 1, 31), nic="00020")]
    assert signals(elsewhere) == set()
    assert signals([demand(date(2025, 5, 1), date(2025, 12, 28), reason=6)]) == set()
    assert signals([demand(date(2025, 5, 1), date(2025, 12, 28), decided=date(2026, 4, 1))]) == set()
    shortened = demand(date(2025, 5, 1), date(2025, 6, 1), decided=date(2026, 3, 31), number="D")
    first = demand(date(2025, 5, 1), date(2025, 12, 28), number="D")
    assert signals([first, shortened]) == set(), "the last decision on a demand is used"
    not_yet = (*shortened[:3], date(2026, 4, 1), *shortened[4:])
    assert signals([first, not_yet]) == {"demande_activite_partielle_elevee"}


def test_a_loss_with_a_stable_turnover_is_a_weak_profitability(signals):
    def taxes(recent: float, former: float, filed: date = date(2026, 1, 20)):
        return [
            (SIREN, date(2025, 1, 1), date(2025, 12, 31), filed, recent),
            (SIREN, date(2022, 1, 1), date(2022, 12, 31), date(2023, 1, 20), former),
        ]

    assert signals(returns=taxes(80, 100), ebe_sur_ca=-0.01) == {"rentabilite_faible"}
    assert signals(returns=taxes(79, 100), ebe_sur_ca=-0.01) == set()
    assert signals(returns=taxes(80, 100), ebe_sur_ca=0.01) == set()
    assert signals(returns=taxes(80, 100, filed=date(2026, 4, 2)), ebe_sur_ca=-0.01) == set()
    assert signals(ebe_sur_ca=-0.01) == set()
    # A return filed again replaces the earlier one of its period, from its deposit on.
    corrected = (SIREN, date(2025, 1, 1), date(2025, 12, 31), date(2026, 3, 1), 79.0)
    assert signals(returns=[*taxes(80, 100), corrected], ebe_sur_ca=-0.01) == set()
    assert signals(returns=[*taxes(79, 100), (*corrected[:4], 80.0)], ebe_sur_ca=-0.01) == {"rentabilite_faible"}
    assert signals(returns=[*taxes(79, 100), (*corrected[:3], date(2026, 4, 1), 80.0)], ebe_sur_ca=-0.01) == set()


def test_weak_solvency_and_negative_equity(signals):
    assert signals(dette_nette_sur_caf=4.0, k_propres_sur_k_social=0.0) == set()
    assert signals(dette_nette_sur_caf=4.1, k_propres_sur_k_social=-0.1) == {"solvabilite_faible", "k_propres_negatifs"}
