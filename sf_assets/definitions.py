"""Dagster definitions: assets in the order in which data flows, their checks, jobs, schedules, sensors and resources."""

import dagster as dg

from sf_assets.catalogue.confidentiality import with_confidentiality
from sf_assets.catalogue.modes import outside_of
from sf_assets.catalogue.tables import suites_of
from sf_assets.clean.assets import ASSETS as CLEAN
from sf_assets.engine.materialization import with_settings, within
from sf_assets.engine.quality.checks import checks_for
from sf_assets.evaluation.assets import ASSETS as EVALUATION
from sf_assets.features.assets import assets_of as features_of
from sf_assets.features.tables import LAGS
from sf_assets.lists.assets import ASSETS as LISTS
from sf_assets.model.assets import ASSETS as MODEL
from sf_assets.operations.assets import ASSETS as COCKPIT
from sf_assets.operations.assets import CHECKS as COCKPIT_CHECKS
from sf_assets.operations.automation import JOBS, files_arrived, monthly_schedule, wide_job
from sf_assets.operations.jobs import JOBS as COCKPIT_JOBS
from sf_assets.operations.jobs import monthly_proof, morning_refresh
from sf_assets.operations.sensors import SENSORS
from sf_assets.publication.assets import ASSETS as PUBLICATION
from sf_assets.publication.assets import CHECKS as PUBLICATION_CHECKS
from sf_assets.settings import Settings, resources_for
from sf_assets.sources.assets import arrivals_of
from sf_assets.staging.assets import ASSETS as STAGING
from sf_assets.vocabulary.partitions import months

_SETTINGS = Settings.from_environment()
_MODE = _SETTINGS.mode
_OUTSIDE = outside_of(_MODE)
_ASSETS = within(
    (
        arrivals_of(_MODE),
        *STAGING,
        *CLEAN,
        *features_of(_MODE),
        *MODEL,
        *LISTS,
        *EVALUATION,
        *PUBLICATION,
        *COCKPIT,
    ),
    _OUTSIDE,
)
_SUITES = [suite for name, suite in suites_of(_MODE).items() if name not in _OUTSIDE]

defs = dg.Definitions(
    # The page of an asset links to the code that makes it.
    assets=dg.with_source_code_references(with_settings(with_confidentiality(_ASSETS), _SETTINGS.parameters)),
    asset_checks=[*(checks_for(suite, months) for suite in _SUITES), *PUBLICATION_CHECKS, *COCKPIT_CHECKS],
    # A job whose only asset is outside the mode is no job.
    jobs=[*(job for job in JOBS if job is not wide_job or LAGS.name not in _OUTSIDE), *COCKPIT_JOBS],
    schedules=[monthly_schedule, morning_refresh, monthly_proof],
    sensors=[files_arrived, *SENSORS],
    resources=resources_for(_SETTINGS),
    executor=dg.in_process_executor,
)
