"""The one way to draw a sample of companies: by a digest, so that it is the same on any day and machine."""

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session


def define_sampling(session: Session) -> None:
    """Define the SQL macro `in_sample(siren, periode, one_in)`: whether a company and month are in a sample of one row in n."""
    session.connection.execute(read_sql("sf_assets.engine", "sampling"))
