"""Summary of a month as text: outcomes of records, checks, figures of the models, the riskiest companies."""

from collections.abc import Iterator
from datetime import date

import duckdb
import polars as pl

from sf_assets.lists.tables import CURRENT_LIST
from sf_assets.settings import Settings, warehouse_of
from sf_assets.sources.batch import batch_key

_RECORDS = """
    select source, sum(records) as read, sum(accepted) as accepted, sum(filtered) as filtered,
        sum(quarantined) as quarantined
    from lake.stg_import where month = $month group by source order by source
"""
_CHECKS = """
    select count(*) filter (passed), count(*), count(*) filter (not passed and severity = 'error')
    from lake.check_verdicts where month = $month
"""
_FAILED = """
    select asset, check_name, severity, unexpected_count, element_count
    from lake.check_verdicts where month = $month and not passed order by severity, asset
"""
_MODELS = """
    pivot (select * from lake.model_evaluation where month = $month) on mesure in (
        'failures', 'roc_auc', 'average_precision', 'calibration_error',
        'fort_f_beta', 'fort_precision', 'fort_recall', 'modere_f_beta', 'modere_precision', 'modere_recall'
    ) using first(valeur) group by methode, lecture order by methode, lecture
"""
_STATEMENTS = "select methode, statement, retained from lake.model_fitted where month = $month order by methode"
_RISKIEST = f"""
    select rang, siren, departement, niveau, probabilite, motif_1, motif_2, motif_3
    from ({CURRENT_LIST}) order by rang limit 10
"""
_COUNT = f"select count(*) filter (niveau = 2), count(*) filter (niveau = 1) from ({CURRENT_LIST})"
_LEVELS = {1: "modéré", 2: "fort"}


def summary(settings: Settings, month: date) -> Iterator[str]:
    """Yield the lines of the summary; a part whose table does not exist yet says so."""
    warehouse = warehouse_of(settings)
    with warehouse.session() as session:
        for part in (_records, _checks, _models, _list):
            try:
                yield from part(session.connection, month)
            except duckdb.CatalogException:
                yield f"\n{part.__name__.removeprefix('_')}: not there yet"
    folder = settings.data_dir / "lists" / batch_key(month)
    for path in sorted(folder.glob("*")):
        yield f"  {path}"
    published = settings.data_dir / "published" / batch_key(month)
    for version in sorted(published.glob("v*")):
        yield f"\npublished, read-only, with a folder for each recipient:\n  {version}"
        folders = sorted(version.glob("destinataires/*"))
        yield from (f"  {path}" for path in folders)
        for path in [page for folder in folders[:1] for page in sorted(folder.glob("*.html"))]:
            yield f"page of {path.parent.name}, to open in a browser:\n  {path}"


def _frame(connection: duckdb.DuckDBPyConnection, sql: str, month: date) -> pl.DataFrame:
    return connection.execute(sql, {"month": month}).pl()


def _records(connection: duckdb.DuckDBPyConnection, month: date) -> Iterator[str]:
    yield f"\n{'records':<22}{'read':>12}{'accepted':>12}{'filtered':>12}{'quarantined':>12}"
    for name, *counts in _frame(connection, _RECORDS, month).iter_rows():
        yield f"  {name:<20}" + "".join(f"{int(count):>12,}" for count in counts)


def _checks(connection: duckdb.DuckDBPyConnection, month: date) -> Iterator[str]:
    passed, total, blocking = _frame(connection, _CHECKS, month).row(0)
    yield f"\n{passed} of {total} checks passed, {blocking} block"
    for asset, check, severity, unexpected, elements in _frame(connection, _FAILED, month).iter_rows():
        yield f"  {severity}: {asset}, {check}: {unexpected} of {elements}"


def _models(connection: duckdb.DuckDBPyConnection, month: date) -> Iterator[str]:
    yield f"\n{'figures on later months':<70}{'strong':<21}moderate"
    yield f"{'':<30}{'failures  ROC AUC  av. prec.  calib.':<40}{'F0.5  prec. recall':<21}F2    prec. recall"
    for name, reading, failures, *figures in _frame(connection, _MODELS, month).iter_rows():
        auc, precision, error, *levels = (f"{figure:.3f}" if figure is not None else "   – " for figure in figures)
        strong, moderate = " ".join(levels[:3]), " ".join(levels[3:])
        quality = f"{failures or 0:>8.0f}{auc:>9}{precision:>11}{error:>8}"
        yield f"  {name:<12} {reading:<15}{quality}    {strong:<21}{moderate}"
    for name, statement, retained in _frame(connection, _STATEMENTS, month).iter_rows():
        if statement:
            yield f"  {name}: {statement}"
        if retained:
            yield f"  the list uses: {name}"


def _list(connection: duckdb.DuckDBPyConnection, month: date) -> Iterator[str]:
    strong, moderate = _frame(connection, _COUNT, month).row(0)
    yield f"\n{strong} strong and {moderate} moderate alerts. The ten riskiest:"
    for rank, siren, departement, level, score, *reasons in _frame(connection, _RISKIEST, month).iter_rows():
        yield f"  {rank:>2}. {siren}  {departement or '–':<3}  {_LEVELS[level]:<7}{score:>6.1%}"
        yield from (f"        {reason}" for reason in reasons if reason)
    yield "\nfiles of the list:"
