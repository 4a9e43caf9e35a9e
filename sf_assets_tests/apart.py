"""Files that come apart from the project: tests that read them are skipped without."""

from pathlib import Path

import pytest

_DATA = Path(__file__).parents[2] / "shared" / "data"


def shared(*path: str) -> Path:
    """Return a file that comes apart from the project; skip the test without it."""
    found = _DATA.joinpath(*path)
    if not found.exists():
        pytest.skip(f"no ../shared/data/{'/'.join(path)}: it comes apart from the project")
    return found
