"""The asset of published lists, and the check that makes the newest one again."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from sf_assets.engine.materialization import asset_arguments, write_metadata
from sf_assets.engine.resources import (
    FoldersResource,
    GateResource,
    ParametersResource,
    WarehouseResource,
    run_created_at,
)
from sf_assets.publication.publishing import publish
from sf_assets.publication.rebuilding import rebuild
from sf_assets.publication.sharing import READS
from sf_assets.publication.tables import PUBLICATION
from sf_assets.publication.versions import published_versions
from sf_assets.publication.writing import GATED
from sf_assets.vocabulary.partitions import parse_month

GROUP = "publication"
JOB = "publish"


class PublicationConfig(dg.Config):
    """Who publishes a list, and why."""

    by: str = Field("", description="name of the person who answers for the publication")
    reason: str = Field("", description="why the list is published; for a correction, what was wrong")


@dg.asset(
    **asset_arguments(
        PUBLICATION,
        GROUP,
        description="One row is one published version of the month's list. Publishing is an act with a name and a reason: every "
        "gate of the month must be open, or its failed check accepted. The files are frozen in a folder of their own.",
        made_in=__name__,
        kinds={"python", "parquet", "excel", "json"},
    ),
    deps=[*GATED, *READS],
    output_required=False,
)
def list_publication(
    context: dg.AssetExecutionContext,
    config: PublicationConfig,
    *,
    warehouse: WarehouseResource,
    folders: FoldersResource,
    parameters: ParametersResource,
    gate: GateResource,
) -> Iterator[dg.MaterializeResult[None]]:
    """Publish the month's list as its next version.

    A run of everything that follows some asset comes by here too. It names nobody, and publishes nothing.
    """
    if not config.by and not config.reason and context.run.job_name != JOB:
        context.log.info(f"nothing is published: the job {JOB} does it, with a name and a reason")
        return
    with warehouse.session() as session:
        done = publish(
            session,
            gate,
            parse_month(context.partition_key),
            folders,
            parameters,
            by=config.by,
            reason=config.reason,
            at=run_created_at(context.instance, context.run_id),
        )
    yield dg.MaterializeResult(
        metadata=write_metadata(done.write)
        | {
            "version": done.manifest.version,
            "folder": dg.MetadataValue.path(str(done.folder)),
            "made_from_snapshot": done.manifest.snapshot,
            "acceptances": len(done.manifest.acceptances),
            "recipients": sum(not one["lapsed"] for one in done.manifest.recipients),
            # Names of persons stay in the folder: an operator finds there who, and why.
            "lapsed_rights": sum(bool(one["lapsed"]) for one in done.manifest.recipients),
        }
        | dict(done.manifest.changes)
    )


@dg.asset_check(
    asset=PUBLICATION.name,
    description="The newest published list is made again from its snapshot and model, byte by byte. A warning when only the code "
    "changed since: it names the version to install.",
)
def rebuilt_same(warehouse: WarehouseResource, folders: FoldersResource, gate: GateResource) -> dg.AssetCheckResult:
    """Rebuild the newest published list of the newest month, and compare."""
    with warehouse.session() as session:
        versions = published_versions(session)
    if not versions:
        return dg.AssetCheckResult(passed=True, description="No list was published yet.")
    newest = versions[-1]
    proof = rebuild(warehouse, gate, folders, newest.month, newest.version)
    return dg.AssetCheckResult(
        passed=proof.same,
        severity=dg.AssetCheckSeverity.WARN if proof.explained else dg.AssetCheckSeverity.ERROR,
        description=proof.summary,
        metadata={"month": f"{newest.month:%Y-%m}", "version": newest.version, "files": proof.files},
    )


REBUILT = dg.AssetCheckKey(dg.AssetKey(PUBLICATION.name), "rebuilt_same")

ASSETS = (list_publication,)
CHECKS = (rebuilt_same,)
