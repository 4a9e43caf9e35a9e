"""Dagster definitions: assets in the order in which data flows, their checks, jobs, schedules, sensors and resources."""

import dagster as dg

from sf_assets.catalogue.confidentiality import with_confidentiality
from sf_assets.catalogue.modes import outside_of
from sf_assets.catalogue.tables import suites_of
from sf_assets.clean.assets import ASSETS as CLEAN
from sf_assets.engine.materialization import in_runs_of, with_settings, within
from sf_assets.engine.quality.checks import checks_for
from sf_assets.evaluation.assets import ASSETS as EVALUATION
from sf_assets.evaluation.help_assets import ASSETS as HELP
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


def definitions_of(settings: Settings) -> dg.Definitions:
    """Return the definitions of a deployment: the assets of its mode, with their checks and jobs."""
    outside = outside_of(settings.mode)
    layers = (
        arrivals_of(settings.mode),
        *STAGING,
        *CLEAN,
        *features_of(settings.mode),
        *MODEL,
        *LISTS,
        *EVALUATION,
        *HELP,
        *PUBLICATION,
        *COCKPIT,
    )
    declared = in_runs_of(within(layers, outside), settings.run_months)
    assets = with_settings(with_confidentiality(declared), settings.parameters)
    suites = [suite for name, suite in suites_of(settings.mode).items() if name not in outside]
    return dg.Definitions(
        # The page of an asset links to the code that makes it.
        assets=dg.with_source_code_references(assets),
        asset_checks=[*(checks_for(suite, months) for suite in suites), *PUBLICATION_CHECKS, *COCKPIT_CHECKS],
        # A job whose only asset is outside the mode is no job.
        jobs=[*(job for job in JOBS if job is not wide_job or LAGS.name not in outside), *COCKPIT_JOBS],
        schedules=[monthly_schedule, morning_refresh, monthly_proof],
        sensors=[files_arrived, *SENSORS],
        resources=resources_for(settings),
        executor=dg.in_process_executor,
    )


defs = definitions_of(Settings.from_environment())
