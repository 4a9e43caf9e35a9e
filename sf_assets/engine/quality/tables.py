"""The table of verdicts."""

from sf_assets.vocabulary.schema import Column, Table

CHECK_VERDICTS = Table(
    "check_verdicts",
    "the last verdict of one check on one asset for the month",
    (
        Column("asset", "VARCHAR", "asset that was checked"),
        Column("check_name", "VARCHAR", "name of the check"),
        Column("severity", "VARCHAR", "error blocks what reads the asset, warning is a note"),
        Column("passed", "BOOLEAN", "the month satisfies the check"),
        Column("errored", "BOOLEAN", "the check itself failed: the state of the data is unknown"),
        Column("unexpected_count", "BIGINT", "rows that the check refuses", unit="row"),
        Column("element_count", "BIGINT", "rows that the check read", unit="row"),
        Column("error", "VARCHAR", "why the check itself failed, empty otherwise"),
        Column("value", "DOUBLE", "measure of a tolerance, compared with later months"),
        Column("statement", "VARCHAR", "measured and expected values, in words; empty when refused rows are counted"),
        Column("snapshot", "BIGINT", "snapshot that wrote the checked rows; NULL when there is no row"),
        Column("run_id", "VARCHAR", "Dagster run of the check"),
        Column("judged_at", "TIMESTAMP", "creation of that run, UTC"),
    ),
    key=("asset", "check_name"),
    may_be_empty=True,
)
