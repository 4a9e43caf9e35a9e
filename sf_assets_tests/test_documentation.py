"""The generated pages say what the declarations say, and nothing older."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from sf_assets.catalogue.derivation import written
from sf_assets.catalogue.tables import TABLES
from sf_assets.features.registry import NAMES
from sf_assets.sources.registry import SOURCES
from sf_assets_dev.documentation import PAGES, page

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_fresh(name):
    assert (DOCS / name).read_text(encoding="utf-8") == page(name), "run `make docs`"


def test_the_record_of_lineage_is_fresh():
    assert (files("sf_assets.engine") / "lineage.csv").read_text(encoding="utf-8") == written(), "run `make docs`"


def test_every_source_table_and_feature_is_described():
    sources, tables, features = (page(name) for name in ("sources.md", "dictionary.md", "features.md"))
    assert all(f"## {source.name}\n" in sources for source in SOURCES)
    assert all(f"## {name}\n" in tables for name in TABLES)
    assert all(f"| {name} |" in features for name in NAMES)


def test_every_trap_of_reading_and_every_decision_is_named_by_a_test():
    """Traps 1 to 62 are those of rules §14.1 to 14.3, decisions B1 to B19 those of docs/deviations.md."""
    tests = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    said = re.findall(r"traps?((?:[ _,]|and|\d)+)", tests)
    traps = {int(number) for numbers in said for number in re.findall(r"\d+", numbers)}
    assert set(range(1, 63)) - traps == set()
    decisions = {int(number) for number in re.findall(r"(?:decision B|_b|[( ]B)(\d+)", tests)}
    assert set(range(1, 20)) - decisions == set()


def test_every_decision_is_explained():
    page = (DOCS / "deviations.md").read_text(encoding="utf-8")
    assert [n for n in range(1, 20) if f"| B{n} |" not in page] == []
