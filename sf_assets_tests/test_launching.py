"""`sf run` and the demonstration launch jobs by name, in this process; starting the project prints nothing."""

import subprocess
import sys
from datetime import date

import dagster as dg
import pytest

from sf_assets.definitions import defs
from sf_assets.operations.launching import run_job
from sf_assets.vocabulary.failures import UserError


def test_an_unknown_job_is_refused_with_the_names_of_those_that_take_a_month() -> None:
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(UserError, match=r"expected one of batch, .*monthly.*, found nothing"),
    ):
        run_job(defs, instance, "nothing", first=date(2025, 9, 1))


def test_the_definitions_load_without_a_warning_and_without_the_libraries_that_only_steps_need() -> None:
    heavy = {"sklearn", "scipy", "skops", "shap", "pandas", "great_expectations"}
    code = f"import sys, sf_assets.definitions; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout.decode(), done.stderr.decode()) == ("[]\n", "")
