"""The three months, in order."""

from collections.abc import Iterator
from datetime import date

from sf_assets.lists.expert_rules import NAMES as EXPERT_RULES
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.life import deliveries, runs, services
from sf_assets_dev.life.deployment import OperatedDeployment
from sf_assets_dev.life.mishap import Mishap
from sf_assets_dev.synthetic import write_batch

_YEARS = 3


def live(deployment: OperatedDeployment, months: tuple[date, date, date], *, companies: int) -> Iterator[Mishap]:
    """Live three months that have ended, oldest first; yield the mishaps as they are over."""
    first, second, third = months
    for month in months:
        write_batch(deployment.folder / "ready" / f"{month:%y%m}", month=month, companies=companies, years=_YEARS)
    yield deliveries.late_delivery(deployment, first)
    yield deliveries.done_already(deployment, first)
    yield deliveries.still_copied(deployment, second)
    yield deliveries.repeated_file(deployment, second)
    yield deliveries.bad_optional_file(deployment, second)
    yield runs.killed_run(deployment, second)
    yield runs.wrong_settings(deployment, second)
    yield deliveries.month_not_ended(deployment, add_months(third, 1))
    yield runs.accepted_then_scheduled(deployment, third)
    yield runs.shares_without_model(deployment, third)
    yield runs.other_rules(deployment, third, EXPERT_RULES)
    yield runs.new_version(deployment, third, EXPERT_RULES)
    yield services.notices_down(deployment)
    yield services.lock_held(deployment)
