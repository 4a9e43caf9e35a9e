"""The files of a list, in lists/<AAMM>/: Parquet, CSV, XLSX and a page of the alerts, and the application's JSON.

Writing is deterministic: the same list gives the same bytes, whatever the day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.folders import replace_folder
from sf_assets.lists.columns import missing_from
from sf_assets.lists.readme import About
from sf_assets.lists.spreadsheet import write_csv
from sf_assets.lists.workbook import write_xlsx
from sf_assets.sources.batch import batch_key


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The last files handed over for a month.

    `version` numbers them from 1; 0 means that no file was handed over. `scores_version` is the version of the scores they
    were made from, and `checksums` their SHA-256 by file name.
    """

    version: int = 0
    scores_version: int = 0
    checksums: Mapping[str, str] = field(default_factory=dict)

    def next_version(self, checksums: Mapping[str, str]) -> int:
        """Return the version of new files: the same number when their checksums are equal, otherwise the next."""
        return self.version if checksums == self.checksums else self.version + 1


_NEVER_HANDED_OVER = HandedOver()


def write_list(
    alerts: pl.DataFrame,
    document: Iterable[str],
    *,
    page: str,
    root: Path,
    about: About,
    handed_over: HandedOver = _NEVER_HANDED_OVER,
    gone: pl.DataFrame | None = None,
) -> tuple[Path, ...]:
    """Write the files of a month's list and return their paths; a list already there is replaced as a whole.

    `root` is the folder of all lists; the other arguments are those of `write_files`. Files handed over before
    (`handed_over`) move to the folder `<AAMM>_v<version>`, unless the new files are the same.

    Raises:
        ValueError: columns of `HEADERS` are missing; the message names them.

    """
    target = root / batch_key(about.month)

    def folder_of_previous(draft: Path) -> Path | None:
        same = handed_over.next_version({path.name: sha256_of(path) for path in draft.iterdir()}) == handed_over.version
        return None if same or not handed_over.version else target.with_name(f"{target.name}_v{handed_over.version}")

    with replace_folder(target, folder_of_previous) as draft:
        names = [path.name for path in write_files(draft, alerts, document, page=page, about=about, gone=gone)]
    return tuple(target / name for name in names)


def write_files(
    folder: Path,
    alerts: pl.DataFrame,
    document: Iterable[str],
    *,
    page: str,
    about: About,
    gone: pl.DataFrame | None = None,
) -> tuple[Path, ...]:
    """Write the five files of a list into a folder and return their paths.

    `alerts` holds one row per company in alert, by rank, with at least the columns of `HEADERS`; the Parquet file has all
    of its columns. `document` yields the application's JSON piece by piece, `page` is the HTML page, and `gone` are the
    companies that left the list, as `departures` returns them.

    Raises:
        ValueError: columns of `HEADERS` are missing; the message names them.

    """
    dated = with_date(alerts, about)
    missing = missing_from(dated.columns)
    if missing:
        raise ValueError(f"list_alerts: expected columns {', '.join(missing)}, found none of that name")
    parquet, csv, xlsx, json, html = paths = tuple(
        folder / f"{stem_of(about.month)}.{kind}" for kind in ("parquet", "csv", "xlsx", "json", "html")
    )
    alerts.write_parquet(parquet)
    write_csv(dated, csv)
    write_xlsx(dated, xlsx, about, gone=gone)
    with json.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(document)
    html.write_text(page, encoding="utf-8", newline="\n")
    return paths


def with_date(rows: pl.DataFrame, about: About) -> pl.DataFrame:
    """Add the date of the data, as officers read it."""
    return rows.with_columns(donnees_au=pl.lit(f"{about.cutoff:%d/%m/%Y}"))


def stem_of(month: date) -> str:
    """Return the name of the files of a month's list, without its ending."""
    return f"liste_{batch_key(month)}"
