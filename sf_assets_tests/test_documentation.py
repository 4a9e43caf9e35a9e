"""Generated pages are fresh; hand-written pages name nothing that does not exist."""

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
import typer
from click import Command, Group

from sf_assets.catalogue.derivation import derive, written
from sf_assets.catalogue.tables import LAYERS, TABLES
from sf_assets.commands.app import app
from sf_assets.features.registry import NAMES
from sf_assets.settings import PREFIX, Settings
from sf_assets.sources.registry import SOURCES
from sf_assets_dev.documentation import PAGES, page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TREES = ("sf_assets", "sf_assets_dev", "sf_assets_tests", "docs", "deploy", "findings", "data", ".ci")
HAND_WRITTEN = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *ROOT.glob("*.md"), ROOT / "data/README.md", ROOT / "findings/README.md", *DOCS.glob("decisions/*.md"),
        *(path for path in DOCS.glob("*.md") if path.name not in PAGES),
    )
)  # fmt: skip
# Names that only exist in a deployment, or in the future that a sentence describes.
RUNTIME = re.compile(
    r"^(\.venv|data|incoming|lists|models|exports|warehouse|quarantine|notices|dagster|demo|oracle)(/|\.json$)"
)
CODE_FILE = re.compile(r"^[\w.-]+\.(py|sql|md|toml|yaml|sh|pth)$")


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_fresh(name):
    assert (DOCS / name).read_text(encoding="utf-8") == page(name), "run `make docs`"


def test_the_record_of_lineage_is_fresh():
    assert (files("sf_assets.engine") / "lineage.csv").read_text(encoding="utf-8") == written(), "run `make docs`"


def test_every_query_of_the_project_is_traced_with_its_windows():
    found = derive()
    assert {("stg_debit", "siret"), ("stg_debit", "periode_prise_en_compte")} <= set(
        found["clean_debit", "part_ouvriere"]
    )
    assert ("clean_paydex_mesure", "siren") in found["feat_paiement", "paydex"]
    assert ("stg_sirene", "siege") in found["siren_blacklist", "motif_siege"]


def test_checks_are_sentences_and_not_classes_of_great_expectations():
    assert not re.findall(r"Expect[A-Z]\w+", text_of("docs/dictionary.md") + text_of("docs/faults.md"))
    assert "The month has at least one row." in text_of("docs/dictionary.md")


def test_every_source_table_and_feature_is_described():
    sources, tables, features = (page(name) for name in ("sources.md", "dictionary.md", "features.md"))
    assert all(f"## {source.name}\n" in sources for source in SOURCES)
    assert all(f"## {name}\n" in tables for name in TABLES)
    assert all(f"| {name} |" in features for name in NAMES)


def test_the_picture_of_the_readme_counts_what_is_declared():
    picture = (ROOT / "README.md").read_text(encoding="utf-8").split("```")[1]
    assert re.findall(r"(\d+) (sources|tables|features)", picture) == [
        (str(len(SOURCES)), "sources"), (str(len(LAYERS["clean"])), "tables"), (str(len(NAMES)), "features"),
    ]  # fmt: skip


def test_every_trap_of_reading_and_every_deviation_is_named_by_a_test():
    """Traps 1 to 62 are those of the former system's specification, deviations B1 to B19 those of docs/deviations.md."""
    tests = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    named = re.findall(r"traps?((?:[ _,]|and|\d)+)", tests)
    traps = {int(number) for numbers in named for number in re.findall(r"\d+", numbers)}
    assert set(range(1, 63)) - traps == set()
    deviations = {int(number) for number in re.findall(r"(?:deviation B|_b|[( ]B)(\d+)", tests)}
    assert set(range(1, 20)) - deviations == set()


def test_every_deviation_is_explained():
    deviations = (DOCS / "deviations.md").read_text(encoding="utf-8")
    assert [n for n in range(1, 20) if f"| B{n} |" not in deviations] == []


# References of hand-written pages


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def repository() -> tuple[str, ...]:
    """Return the path of every file and folder of the checkout; folders end with a slash."""
    top = (path for path in ROOT.iterdir() if path.is_file())
    below = (
        path for tree in TREES for path in (ROOT / tree, *(ROOT / tree).rglob("*")) if "__pycache__" not in str(path)
    )
    return tuple("/" + path.relative_to(ROOT).as_posix() + "/" * path.is_dir() for path in (*top, *below))


def code_of(text: str) -> Iterator[str]:
    """Yield the code of a page: lines of fenced blocks without their comments, and spans between backticks."""
    fenced = re.findall(r"^```(?:console|bash|sh)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    for block in fenced:
        yield from (line.partition(" #")[0] for line in block.splitlines())
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(name: str, text: str) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            yield link


def dead_paths(text: str) -> Iterator[str]:
    for code in code_of(text):
        # A path is the whole of its span; names with blanks, patterns and placeholders are something else.
        looks_like_one = "/" in code or CODE_FILE.match(code)
        if not looks_like_one or not re.fullmatch(r"[\w./-]+", code) or RUNTIME.match(code) or code.startswith("/"):
            continue
        if not any(path.endswith((f"/{code}", f"/{code}/")) for path in repository()):
            yield code


def command_at(words: list[str]) -> tuple[Command | None, list[str]]:
    """Return the command that the first words name, and the words after it; None when there is no such verb."""
    command: Command = typer.main.get_command(app)
    while isinstance(command, Group) and words and re.fullmatch(r"[a-z][a-z_-]*", words[0]):
        inner = command.commands.get(words[0])
        if inner is None:
            return None, words
        command, words = inner, words[1:]
    return command, words


def dead_verbs(text: str) -> Iterator[str]:
    for code in code_of(text):
        for call in re.findall(r"(?:^|\s|/)sf ([a-z].*)$", code.removesuffix("\\")):
            command, rest = command_at(call.split())
            options = {option for parameter in (command.params if command else ()) for option in parameter.opts}
            used = {word.partition("=")[0] for word in rest if word.startswith("--")} - {"--help"}
            if command is None or not used <= options:
                yield f"sf {call}"


def dead_targets(text: str) -> Iterator[str]:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    for code in code_of(text):
        yield from (f"make {name}" for name in re.findall(r"(?:^|\$ )make ([a-z-]+)", code) if name not in targets)


def dead_modules(text: str) -> Iterator[str]:
    """Yield the modules of `python -m` that are not there, or are not a program: those of the project are verbs of `sf`."""
    for module in re.findall(r"python -m ([\w.]+)", text):
        is_program = not module.startswith("sf_assets") or (ROOT / module.replace(".", "/") / "__main__.py").is_file()
        if not is_program or importlib.util.find_spec(module) is None:
            yield module


def dead_settings(text: str) -> Iterator[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    yield from (name for name in re.findall(r"\bSF_[A-Z_]*[A-Z]\b", text) if name not in known)


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_a_hand_written_page_has_no_dead_reference(name):
    text = text_of(name)
    # The changelog describes former releases too: only its links must lead somewhere.
    dead = list(dead_links(name, text))
    if name != "CHANGELOG.md":
        for search in (dead_paths, dead_verbs, dead_targets, dead_modules, dead_settings):
            dead += search(text)
    assert dead == []


@pytest.mark.parametrize(
    ("search", "dead", "alive"),
    [
        (dead_paths, "`sf_assets/nowhere.py`", "`sf_assets/settings.py`, `model/learning.py`, `data/incoming/2610`"),
        (dead_paths, "`stg_nowhere.sql`", "`stg_debit.sql`, `sf_assets/evaluation/`, `a / b`, `AAMM.json`"),
        (dead_verbs, "`sf nowhere 2026-10`", "`sf status --month 2026-10`, `.venv/bin/sf --help`"),
        (dead_verbs, "```console\n$ sf status --nowhere\n```", "```console\n$ .venv/bin/sf quarantine list 2026-10  # all\n```"),
        (dead_verbs, "`sf method nowhere`", "`sf method list`"),
        (dead_targets, "`make nowhere`", "`make demo`; make sure"),
        (dead_modules, "`python -m sf_assets.operations`", "`python -m sf_assets`, `python -m build --wheel`"),
        (dead_settings, "`SF_NOWHERE`", "`SF_DATA_DIR` and `SF_*`"),
    ],
)  # fmt: skip
def test_a_dead_reference_is_found_and_a_live_one_is_not(search, dead, alive):
    assert len(list(search(dead))) == 1
    assert list(search(alive)) == []


def commands(command: Command) -> Iterator[Command]:
    yield command
    for inner in command.commands.values() if isinstance(command, Group) else ():
        yield from commands(inner)


@pytest.mark.parametrize("command", commands(typer.main.get_command(app)), ids=lambda command: str(command.name))
def test_the_examples_of_a_verb_are_calls_that_it_accepts(command):
    assert list(dead_verbs(command.help or "")) == []


def test_a_dead_link_or_anchor_is_found():
    text = "[a](nowhere.md) [b](architecture.md#nowhere) [c](architecture.md#rings) [d](https://example.org)"
    assert list(dead_links("docs/glossary.md", text)) == ["nowhere.md", "architecture.md#nowhere"]


def cited_rules(text: str) -> set[str]:
    """Return the sections that a text cites as `rules §n`, also in lists and ranges: `rules §9.3 to §9.5`."""
    cited = re.findall(r"rules\s(?:--\s)?(§[\d.]+\d|§\d)((?:,? (?:and|to) §[\d.]*\d)*)", text)
    return {section.lstrip("§") for first, others in cited for section in (first, *re.findall(r"§[\d.]*\d", others))}


def test_every_rule_that_code_cites_is_in_the_page_of_rules():
    known = set(re.findall(r"§([\d.]*\d)", text_of("docs/rules.md")))
    dead = {
        f"{path.relative_to(ROOT)}: rules §{section}"
        for tree in ("sf_assets", "sf_assets_dev", "sf_assets_tests")
        for path in (ROOT / tree).rglob("*")
        if path.suffix in {".py", ".sql"}
        for section in cited_rules(path.read_text(encoding="utf-8"))
        if section not in known
    }
    assert dead == set()
    assert cited_rules("see {0} §9.9 to §9.11, and {0}\n§3".format("rules")) == {"9.9", "9.11", "3"}
