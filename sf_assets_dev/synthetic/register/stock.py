"""The three files of INSEE's stock at a share of its real size, written in place of those of the followed companies.

DuckDB draws the rows and writes the files; rows beyond its memory limit are sorted on disk, in a folder beside the files.
Drawn values depend on the seed and on the hash function of the version of DuckDB.
"""

import tempfile
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Literal

import duckdb
import polars as pl

from sf_assets_dev.synthetic.activities import ACTIVITIES
from sf_assets_dev.synthetic.places import GIVEN_NAMES, PLACES, STREETS, SURNAMES
from sf_assets_dev.synthetic.timeline import Window

UNITS = 29_900_000
"""Legal units of the stock of October 2026; 43.9 million establishments and 95.9 million periods follow from the draws."""
Form = Literal["parquet", "csv"]

_FOLDER = files("sf_assets_dev.synthetic.register")
_SIRENS = 10**9
_DRAWN = 1024
# The file of the followed companies, the view that reads it, the query of the stock and the name of its file.
_STOCKS = (
    ("sireneUL.csv", "followed_units", "stock_units", "StockUniteLegale_utf8"),
    ("StockEtablissement_utf8_geo.csv", "followed_establishments", "stock_establishments", "StockEtablissement_utf8"),
    ("StockEtablissementHistorique_utf8.csv", "followed_periods", "stock_periods", "StockEtablissementHistorique_utf8"),
)  # fmt: skip
FOLLOWED = frozenset(former for former, *_ in _STOCKS)
"""The files of the followed companies, which the stocks replace."""
_OPTIONS = {"parquet": "format parquet, compression zstd, overwrite true", "csv": "format csv, header true"}


def write_register(
    folder: Path,
    *,
    month: date,
    share: float,
    seed: int = 1,
    form: Form = "parquet",
    memory_limit: str = "2GB",
    threads: int = 2,
) -> dict[str, int]:
    """Replace the three files of the followed companies in a batch by stocks of the register; return the rows of each.

    `share` is the share of the real number of legal units, besides the followed companies, whose rows stay as they are
    except for the coordinates, which INSEE's own files do not have.

    Raises:
        ValueError: the share is not above 0 and at most 1.

    """
    if not 0 < share <= 1:
        raise ValueError(f"share of the register: expected above 0 and at most 1, found {share}")
    units = max(1, round(UNITS * share))
    rows = {}
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="register_") as spill, duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"set memory_limit = '{memory_limit}'")
        connection.execute(f"set threads = {threads}")
        connection.execute("set temp_directory = $1", [spill])
        delivered = date.fromordinal(Window.of(month, 1).delivered + date(1970, 1, 1).toordinal())
        values = {"units": units, "step": _SIRENS // units, "seed": seed, "delivered": delivered}
        values |= {"streets": STREETS.to_list(), "surnames": SURNAMES.to_list(), "given_names": GIVEN_NAMES.to_list()}
        for name, value in values.items():
            connection.execute(f"set variable {name} = $1", [value])
        connection.register("towns", _towns().to_arrow())
        connection.register("activities", _activities().to_arrow())
        for former, view, _, _ in _STOCKS:
            path = str(folder / former).replace("'", "''")
            connection.execute(f"create temp view {view} as from read_csv('{path}', header = true, all_varchar = true)")
        connection.execute("create temp table followed as select siren from followed_units")
        for view in ("drawn_units", "drawn_establishments"):
            connection.execute(_read(view))
        for _, _, query, name in _STOCKS:
            path = str(folder / f"{name}.{form}").replace("'", "''")
            part = f"{path}.part"
            ((rows[f"{name}.{form}"],),) = connection.execute(
                f"copy ({_read(query)}) to '{part}' ({_OPTIONS[form]})"
            ).fetchall()
    for former, _, _, name in _STOCKS:
        (folder / former).unlink()
        (folder / f"{name}.{form}.part").rename(folder / f"{name}.{form}")
    return rows


def _read(name: str) -> str:
    return _FOLDER.joinpath(f"{name}.sql").read_text(encoding="utf-8")


def _repeated(weights: list[float]) -> list[int]:
    """Return the positions that draws from 0 to 1023 choose, each in proportion to its weight."""
    positions: list[int] = []
    total, reached = sum(weights), 0.0
    for position, weight in enumerate(weights):
        reached += weight
        positions += [position] * (round(reached / total * _DRAWN) - len(positions))
    return positions


def _towns() -> pl.DataFrame:
    places = pl.Series(_repeated(PLACES.weight.tolist()))
    columns = {"town": PLACES.name, "commune": PLACES.commune, "postal": PLACES.postal}
    chosen = {name: column.gather(places) for name, column in columns.items()}
    return pl.DataFrame({"place": range(_DRAWN), **chosen})


def _activities() -> pl.DataFrame:
    """Return drawn activities: the codes of NAF rev. 2 and NAF 2025, and codes in the form of former nomenclatures."""
    places = pl.Series(_repeated(ACTIVITIES.weight.tolist()))
    naf, naf25 = (pl.Series(codes).gather(places) for codes in (ACTIVITIES.naf, ACTIVITIES.naf25))
    nap = naf.str.slice(0, 5)
    return pl.DataFrame({"place": range(_DRAWN), "naf": naf, "naf25": naf25, "nap": nap, "former": nap + "C"})
