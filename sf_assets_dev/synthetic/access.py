"""The file of rights of access: three recipients of the synthetic country, reviewed in the month of the batch."""

from datetime import date
from pathlib import Path

import polars as pl

from sf_assets.vocabulary.partitions import add_months

ACCESS = "access.csv"
RECIPIENTS = (
    ("codefi-69", "secrétaire permanent de CODEFI", "69", "score urssaf dgefp dgfip"),
    ("ddets-r84", "service des mutations économiques", "R84", "score dgefp"),
    ("dge-mre", "mission de restructuration des entreprises", "national", "score urssaf dgefp bdf pge"),
)


def write_access(path: Path, month: date) -> int:
    """Write the rights of three recipients, valid for a year from `month`; return their number."""
    rows = pl.DataFrame(RECIPIENTS, schema=["destinataire", "role", "zones", "droits"], orient="row")
    rows.with_columns(
        suivis=pl.lit(""), revu_le=pl.lit(month.isoformat()), valable_jusqu_au=pl.lit(add_months(month, 12).isoformat())
    ).write_csv(path, separator=";", quote_style="never")
    return rows.height
