"""The rows that methods learn from and are measured on: features and target of some months, companies in procedure marked.

`feat_matrix` is read over months, `model_target` as the month of the model knows it.
"""

import polars as pl

from sf_assets.engine.storage import Session
from sf_assets.model.splits import Months

# Months of the same company say nearly the same: rows beyond this number add minutes and no precision. Failures are always
# kept, the others drawn and weighted.
LEARNING_ROWS = 150_000

LOAD = """
    select m.*, t.target, t.en_procedure, 1::double as weight
    from (select * rename (month as periode) from feat_matrix) as m
    join model_target as t using (siren, periode)
    where m.periode in (select unnest($months))
"""
# Drawn by a digest of company and month: the same rows on any day and machine.
DRAW = f"""
    select * replace (case when target then 1.0 else $one_in::double end as weight)
    from ({LOAD})
    where target or $one_in = 1 or ('0x' || left(md5(siren || periode::varchar), 8))::ubigint % $one_in = 0
"""


def load(session: Session, months: Months) -> pl.DataFrame:
    """Return every row of some months, by month and company: `siren`, `periode`, features, `target`, `en_procedure`."""
    return session.connection.execute(f"{LOAD} order by periode, siren", {"months": list(months)}).pl()


def draw(session: Session, months: Months, *, at_most: int = LEARNING_ROWS) -> pl.DataFrame:
    """Return the rows to learn from: all failures and about `at_most` others, with the `weight` that makes up for it."""
    (total,) = session.connection.execute(
        "select count(*) from feat_matrix where month in (select unnest($months))", {"months": list(months)}
    ).fetchall()[0]
    values = {"months": list(months), "one_in": max(-(-total // at_most), 1)}
    return session.connection.execute(f"{DRAW} order by periode, siren", values).pl()
