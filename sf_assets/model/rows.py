"""Labelled rows: the features and the target of a company in a month, to learn from or to measure on.

Features come from `feat_matrix` over several months, the target from `model_target` as bound in the session: labels known
at the cut-off of the model's month.
"""

from datetime import date
from importlib.resources import files

import polars as pl

from sf_assets.engine.queries import read_query
from sf_assets.engine.sampling import define_sampling
from sf_assets.engine.storage import Session
from sf_assets.model.splits import Months

# Months of one company are nearly the same: rows beyond this number add minutes and no precision. All failures are read; the
# other rows are sampled and weighted.
LEARNING_ROWS = 150_000
LABELLED_ROWS = read_query(files("sf_assets.model"), "labelled_rows").text


def load_rows(session: Session, months: Months) -> pl.DataFrame:
    """Return all labelled rows of some months, in order of month and company.

    Columns are `siren`, `periode`, the features, `target`, `en_procedure` and `weight`, which is 1.
    """
    return _read(session, months, one_in=1)


def sample_rows(session: Session, months: Months, *, at_most: int = LEARNING_ROWS) -> pl.DataFrame:
    """Return the rows to learn from: all failures, and a sample of about `at_most` of the other rows.

    Columns are those of `load_rows`. The weight of a sampled row is the number of rows that it stands for.
    """
    (total,) = session.connection.execute(
        "select count(*) from feat_matrix where month in (select unnest($months))", {"months": list(months)}
    ).fetchall()[0]
    return _read(session, months, one_in=max(-(-total // at_most), 1))


def load_features(session: Session, month: date) -> pl.DataFrame:
    """Return the features of the companies of a month, in their order, whatever is known of their outcome."""
    return session.connection.execute(
        "select * from feat_matrix where month = $month order by siren", {"month": month}
    ).pl()


def _read(session: Session, months: Months, *, one_in: int) -> pl.DataFrame:
    define_sampling(session)
    # Without months there is no bound: NULL selects no row.
    bounds = {"first": min(months, default=None), "last": max(months, default=None)}
    return session.connection.execute(LABELLED_ROWS, {"months": list(months), "one_in": one_in, **bounds}).pl()
