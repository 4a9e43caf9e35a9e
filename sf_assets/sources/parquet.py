"""What the footer of a delivered Parquet file states; a damaged file is refused without its reader's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sf_assets.engine.storage.packed import UnreadableFile, expansion_error, largest_of


def count_rows(path: Path) -> int:
    """Return the number of rows stated in the footer of a Parquet file; refuse a file that would expand too much."""
    with _refusing_parquet(path):
        metadata = pq.read_metadata(path)
        declared = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
    limit = largest_of(path.stat().st_size)
    # Rows that repeat one value take almost no bytes, so the number of rows has the same limit.
    if max(declared, metadata.num_rows) > limit:
        raise expansion_error(
            path.name, f"{metadata.num_rows:,} rows and {declared:,} bytes declared in {path.stat().st_size:,}"
        )
    return int(metadata.num_rows)


def parquet_columns(path: Path) -> tuple[str, ...]:
    """Return the names of the columns of a Parquet file."""
    with _refusing_parquet(path):
        return tuple(pq.read_schema(path).names)


@contextmanager
def _refusing_parquet(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError):
        # The reader's own message may show bytes of the file.
        raise UnreadableFile(
            f"{path.name}: expected a complete Parquet file, found a damaged file or another format"
        ) from None
