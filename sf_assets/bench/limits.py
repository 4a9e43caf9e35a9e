"""What imports and tables are held to: a bare load of the same files, a large month of debts, growth in proportion."""

import math
import time
from collections.abc import Iterator, Sequence
from importlib.resources import files

import duckdb

from sf_assets.bench import Cost, Place, peak, reset_peak
from sf_assets.catalogue import TABLES
from sf_assets.queries import read_query
from sf_assets.resources import resources_for
from sf_assets.settings import Settings
from sf_assets.sources import BY_NAME
from sf_assets.sources.batch import read_batch
from sf_assets.storage import Warehouse

# A large plain file, the largest gzipped one, and one whose months are columns.
COMPARED = ("debit", "cotisation", "effectif")


def load_bare(place: Place, source: str) -> Cost:
    """Load a source's files into a table of texts with DuckDB alone, the limit of any import: the best of three."""
    paths = read_batch(place.folder / "incoming", place.month).files[source]
    query = (
        "create or replace temp table bare as from read_csv($paths, delim = $delim, header = true, all_varchar = true)"
    )
    seconds = []
    with duckdb.connect(config={"threads": Settings.from_environment().threads}) as connection:
        for _ in range(3):
            reset_peak()
            started = time.monotonic()
            connection.execute(query, {"paths": [str(path) for path in paths], "delim": BY_NAME[source].separator})
            seconds.append(time.monotonic() - started)
        ((rows,),) = connection.execute("select count(*) from bare").fetchall()
    return Cost(f"bare {source}", rows, min(seconds), peak())


def many_debts(place: Place, rows: int = 4_000_000) -> Cost:
    """Build `clean_debit` from many staging rows: ten copies at most of those there are, under other identities."""
    query = read_query(files("sf_assets.clean"), "clean_debit")
    warehouse: Warehouse = resources_for(Settings.from_environment())["warehouse"]  # type: ignore[assignment]
    with warehouse.session() as session:
        session.bind({TABLES[name]: place.month for name in query.reads})
        session.connection.execute(
            """
            create temp table many as
            select * replace (copies.n || substr(siret, 2) as siret, copies.n || debit_id as debit_id)
            from stg_debit, range(10) as copies (n)
            limit $rows
            """,
            {"rows": rows},
        )
        session.connection.execute("create or replace temp view stg_debit as from many")
        reset_peak()
        started = time.monotonic()
        session.connection.execute(f"create temp table clean_debit as {query.text}")
        seconds = time.monotonic() - started
        ((found,),) = session.connection.execute("select count(*) from stg_debit").fetchall()
    return Cost("clean_debit", found, seconds, peak())


def growth(small: Sequence[Cost], large: Sequence[Cost]) -> Iterator[str]:
    """Yield how the seconds of each table grow with its rows: 1 is in proportion, less is better."""
    before = {cost.name: cost for cost in small}
    yield from ("\n## Growth of the clean tables\n", "| table | rows | seconds | exponent |", "|---|--:|--:|--:|")
    for after in sorted(large, key=lambda cost: -cost.seconds):
        first = before[after.name]
        if after.rows > first.rows > 0:
            exponent = math.log(after.seconds / first.seconds) / math.log(after.rows / first.rows)
            yield (
                f"| {after.name} | {first.rows:,} → {after.rows:,} | {first.seconds:.1f} → {after.seconds:.1f} "
                f"| {exponent:.2f} |"
            )
