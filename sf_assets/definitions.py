"""Dagster definitions: assets in the order in which data flows, their checks, jobs, schedules, sensors and resources."""

import dagster as dg

from sf_assets.catalogue.confidentiality import with_confidentiality
from sf_assets.catalogue.tables import SUITES
from sf_assets.clean.assets import ASSETS as CLEAN
from sf_assets.engine.materialization import with_settings
from sf_assets.engine.quality.checks import checks_for
from sf_assets.evaluation.assets import ASSETS as EVALUATION
from sf_assets.evaluation.help_assets import ASSETS as HELP
from sf_assets.features.assets import ASSETS as FEATURES
from sf_assets.lists.assets import ASSETS as LISTS
from sf_assets.model.assets import ASSETS as MODEL
from sf_assets.operations.assets import ASSETS as COCKPIT
from sf_assets.operations.assets import CHECKS as COCKPIT_CHECKS
from sf_assets.operations.automation import JOBS, files_arrived, monthly_schedule
from sf_assets.operations.jobs import JOBS as COCKPIT_JOBS
from sf_assets.operations.jobs import monthly_proof, morning_refresh
from sf_assets.operations.sensors import SENSORS
from sf_assets.publication.assets import ASSETS as PUBLICATION
from sf_assets.publication.assets import CHECKS as PUBLICATION_CHECKS
from sf_assets.settings import Settings, resources_for
from sf_assets.sources.assets import arrivals
from sf_assets.staging.assets import ASSETS as STAGING
from sf_assets.vocabulary.partitions import months

_SETTINGS = Settings.from_environment()
_ASSETS = (arrivals, *STAGING, *CLEAN, *FEATURES, *MODEL, *LISTS, *EVALUATION, *HELP, *PUBLICATION, *COCKPIT)

defs = dg.Definitions(
    # The page of an asset links to the code that makes it.
    assets=dg.with_source_code_references(with_settings(with_confidentiality(_ASSETS), _SETTINGS.parameters)),
    asset_checks=[*(checks_for(suite, months) for suite in SUITES.values()), *PUBLICATION_CHECKS, *COCKPIT_CHECKS],
    jobs=[*JOBS, *COCKPIT_JOBS],
    schedules=[monthly_schedule, morning_refresh, monthly_proof],
    sensors=[files_arrived, *SENSORS],
    resources=resources_for(_SETTINGS),
    executor=dg.in_process_executor,
)
