"""The table of published lists, and its checks."""

from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.quality.tolerance_checks import suite_of
from sf_assets.vocabulary.schema import Column, Table, between, no_rows, not_null

PUBLICATION = Table(
    name="list_publication",
    grain="one published version of the month's list: who published it, why, and what it changes",
    columns=(
        Column("version", "INTEGER", "1 for the first publication of the month; a correction is the next version"),
        Column("list_version", "INTEGER", "version of list_alerts that was published"),
        Column("export_version", "INTEGER", "version of list_export that was published", non_identifying=True),
        Column("snapshot", "BIGINT", "snapshot of the warehouse that the files were made from; it never expires"),
        Column("published_by", "VARCHAR", "name of the person who published it"),
        Column("reason", "VARCHAR", "why it is published; for a correction, what was wrong"),
        Column("published_at", "TIMESTAMP", "time of the publication, UTC", non_identifying=True),
        Column("companies", "BIGINT", "companies in alert", unit="company"),
        Column(
            "entrees", "BIGINT", "companies that the corrected version did not have", "company", non_identifying=True
        ),
        Column("sorties", "BIGINT", "companies of the corrected version that left", "company", non_identifying=True),
        Column("deplacees", "BIGINT", "companies whose level changed", "company", non_identifying=True),
        Column("recipients", "BIGINT", "folders made for recipients", "folder", non_identifying=True),
        Column("code_version", "VARCHAR", "version of the package that made the files", non_identifying=True),
        Column("manifest", "VARCHAR", "SHA-256 of the manifest", non_identifying=True),
    ),
    key=("version",),
    rules=(
        between("version", 1, None, "Versions are numbered from 1: publish again."),
        not_null("published_by", "A publication without a name: publish again with --by."),
        not_null("reason", "A publication without a reason: publish again with --reason."),
        not_null("snapshot", "Without its snapshot the list cannot be rebuilt: publish again."),
        not_null(
            "manifest", "Without the checksum of its manifest nobody can tell whether it was changed: publish again."
        ),
        no_rows(
            "versions_follow",
            "select * from {batch} where version > 1 and version - 1 not in (select version from {batch})",
            "A version is missing before this one: look for who removed rows of list_publication.",
        ),
    ),
)

TABLES = (PUBLICATION,)
SUITES: dict[str, Suite] = {PUBLICATION.name: suite_of(PUBLICATION)}
