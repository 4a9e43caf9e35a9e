"""The months that train, choose thresholds and measure, and the statement when history is insufficient."""

from datetime import date

import polars as pl
import pytest

from sf_assets.model.assets import unused_settings
from sf_assets.model.splits import InsufficientHistory, Split, SplitRules, plan_split
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import add_months

MONTH = date(2026, 10, 1)


def months_between(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [add_months(first, n) for n in range(count)]


def failing(months: list[date], companies: int) -> pl.DataFrame:
    return pl.DataFrame({"siren": [f"{i:09}" for i in range(companies)] * len(months)}).with_columns(
        periode=pl.Series([month for month in months for _ in range(companies)], dtype=pl.Date)
    )


def test_each_part_ends_before_labels_of_the_next_could_be_known():
    months = months_between(date(2016, 1, 1), MONTH)
    split = plan_split(MONTH, months, failing(months, 60))
    assert isinstance(split, Split)
    assert split.test == tuple(months_between(date(2024, 10, 1), date(2025, 3, 1)))
    assert split.validation == tuple(months_between(date(2022, 10, 1), date(2023, 3, 1)))
    assert split.training == tuple(months_between(date(2016, 1, 1), date(2021, 3, 1)))
    assert split.final_training == tuple(months_between(date(2016, 1, 1), date(2025, 3, 1)))
    assert split.failures == {"training": 60, "validation": 60, "test": 60, "labelled": 60}


@pytest.mark.parametrize(("month", "last"), [((2026, 2), (2024, 6)), ((2026, 3), (2024, 8)), ((2026, 10), (2025, 3))])
def test_a_month_is_labelled_once_the_last_procedures_of_its_horizon_are_published(month, last):
    months = months_between(date(2016, 1, 1), date(*month, 1))
    split = plan_split(date(*month, 1), months, failing(months, 60))
    assert split.final_training[-1] == date(*last, 1)


def test_later_months_and_the_order_of_months_change_nothing():
    months = months_between(date(2016, 1, 1), MONTH)
    failures = failing(months, 60)
    later = [*reversed(months), *months_between(add_months(MONTH, 1), add_months(MONTH, 6))]
    assert plan_split(MONTH, later, failures) == plan_split(MONTH, months, failures)


def test_a_history_of_two_years_is_insufficient_and_stated():
    months = months_between(date(2019, 5, 1), date(2021, 4, 1))
    found = plan_split(date(2021, 4, 1), months, failing(months, 22))
    assert isinstance(found, InsufficientHistory)
    assert found.labelled == tuple(months_between(date(2019, 5, 1), date(2019, 9, 1)))
    assert found.statement == (
        "Historique insuffisant pour apprendre un modèle en 04/2021 : 5 mois dont l'issue est connue, il en faut 6 "
        "pour mesurer. Mois disponibles : 24 (05/2019 à 04/2021). Mois dont l'issue est connue : 5 (05/2019 à "
        "09/2019), avec 22 entreprises en défaillance."
    )


@pytest.mark.parametrize(
    ("first", "cause"),
    [
        (date(2022, 12, 1), "moins de 6 mois d'issue connue avant 10/2024"),
        (date(2021, 5, 1), "aucun mois dont l'issue était connue avant 10/2022 pour apprendre"),
    ],
)
def test_the_statement_names_the_part_that_lacks_months(first, cause):
    months = months_between(first, MONTH)
    assert cause in plan_split(MONTH, months, failing(months, 60)).statement


def test_failing_companies_are_counted_once_and_compared_with_the_required_number():
    months = months_between(date(2016, 1, 1), MONTH)
    found = plan_split(MONTH, months, failing(months, 49))
    assert "49 entreprises en défaillance dans les mois d'apprentissage, il en faut 50" in found.statement
    assert isinstance(plan_split(MONTH, months, failing(months, 49), SplitRules(training_failures=49)), Split)


def test_test_months_without_failure_are_insufficient():
    months = months_between(date(2016, 1, 1), MONTH)
    found = plan_split(MONTH, months, failing(months_between(date(2016, 1, 1), date(2023, 3, 1)), 60))
    assert found.causes == ("aucune entreprise en défaillance dans les mois de mesure",)


def test_no_history_at_all_is_stated_too():
    found = plan_split(MONTH, [], failing([], 0))
    assert "Mois disponibles : aucun. Mois dont l'issue est connue : aucun, avec 0 entreprise" in found.statement


@pytest.mark.parametrize(
    ("last", "chosen", "unused"),
    [
        (date(2021, 4, 1), {"alert_shares": "0.01,0.05"}, ["SF_ALERT_SHARES"]),
        (date(2021, 4, 1), {"alert_precisions": "0.4,0.1"}, ["SF_ALERT_PRECISIONS"]),
        (date(2021, 4, 1), {}, []),
        (MONTH, {"alert_shares": "0.01,0.05"}, []),
    ],
)
def test_settings_of_thresholds_without_effect_are_named_when_no_model_can_be_trained(last, chosen, unused):
    months = months_between(date(2016, 1, 1) if last == MONTH else date(2019, 5, 1), last)
    plan = plan_split(last, months, failing(months, 60))
    assert unused_settings(plan, Parameters.model_validate(chosen)) == unused
