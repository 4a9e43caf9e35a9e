"""The generated pages say what the declarations say, and nothing older."""

from pathlib import Path

import pytest

from sf_assets.catalogue import TABLES
from sf_assets.documentation import pages
from sf_assets.features.registry import NAMES
from sf_assets.sources import SOURCES

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", list(pages()))
def test_a_generated_page_is_fresh(name):
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


def test_every_source_table_and_feature_is_described():
    found = pages()
    assert all(f"## {source.name}\n" in found["sources.md"] for source in SOURCES)
    assert all(f"## {name}\n" in found["dictionary.md"] for name in TABLES)
    assert all(f"| {name} |" in found["features.md"] for name in NAMES)
