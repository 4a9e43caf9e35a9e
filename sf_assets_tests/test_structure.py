"""Rules for every module and file of the package: imports, use of Dagster, clocks, size, content of the wheel."""

import ast
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sf_assets.catalogue.tables import SUITES, TABLES

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sf_assets"
LAYERS = ("sources", "staging", "clean", "features", "model", "lists", "evaluation", "publication")
# From the inside out: a module imports from its own ring and from the rings before it.
RINGS = ("vocabulary", "engine", *LAYERS, "catalogue", "operations", "commands")
# The modules that import every ring; only commands, which are entry points, import them.
TOP = {"definitions", "settings"}
# The modules that import Dagster, besides the assets of the layers.
EDGES = {
    "catalogue.confidentiality", "clean.query_asset", "commands.home", "definitions", "engine.materialization",
    "engine.quality.checks", "engine.resources", "evaluation.help_assets", "operations.assets", "operations.automation",
    "operations.jobs", "operations.launching", "operations.progress", "operations.sensors", "vocabulary.failures",
    "vocabulary.partitions",
}  # fmt: skip
MODULES = sorted(PACKAGE.rglob("*.py"))
QUERIES = sorted(PACKAGE.rglob("*.sql"))


def named(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=[path.relative_to(PACKAGE).as_posix() for path in paths])


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_root_has_only_the_top_modules_and_the_rings() -> None:
    names = {path.stem for path in PACKAGE.glob("*.py")}
    assert names == {"__init__", "__main__", *TOP}
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(RINGS)


@named([path for path in MODULES if path.parent != PACKAGE])
def test_a_module_imports_only_from_its_own_ring_and_inner_rings(path: Path) -> None:
    ring = path.relative_to(PACKAGE).parts[0]
    allowed = {*RINGS[: RINGS.index(ring) + 1], *(TOP if ring == "commands" else ())}
    imported = {name.split(".")[1] for name in imports_of(path) if name.startswith("sf_assets.")}
    assert imported - allowed == set()


@named(MODULES)
def test_the_product_does_not_import_the_development_package(path: Path) -> None:
    assert not [name for name in imports_of(path) if name.split(".")[0] == "sf_assets_dev"]


@named([path for path in MODULES if path.name == "__init__.py"])
def test_a_package_init_has_no_logic(path: Path) -> None:
    statements = ast.parse(path.read_text(encoding="utf-8")).body
    plain = (ast.Expr, ast.ImportFrom)
    assert all(isinstance(node, plain) or _is_all(node) for node in statements)


def _is_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]


def test_dagster_stays_at_the_edges() -> None:
    users = {module_of(path) for path in MODULES if any(name.split(".")[0] == "dagster" for name in imports_of(path))}
    assert users <= EDGES | {f"{layer}.assets" for layer in LAYERS}
    assert users >= EDGES


def test_only_the_settings_read_the_environment() -> None:
    touched = re.compile(r"\b(environ|getenv|EnvVar)\b")
    readers = {module_of(path) for path in MODULES if touched.search(path.read_text(encoding="utf-8"))}
    # DAGSTER_HOME is a setting of Dagster.
    assert readers == {"settings", "commands.home"}


CLOCKS = re.compile(
    r"\b(now|today|utcnow|localtime|gmtime|time\.time|time_ns|get_current_\w+|get_last_partition_key|get_partition_keys)\(|"
    r"\b(current_date|current_time|current_timestamp|localtimestamp)\b"
)


def test_no_result_depends_on_the_current_date() -> None:  # trap 59, deviation B9
    clocks = {
        module_of(path) if path.suffix == ".py" else path.name
        for path in [*MODULES, *QUERIES]
        if CLOCKS.search(path.read_text(encoding="utf-8"))
    }
    # The sensor and a launched job ask which months have ended; commands record when an operator decided or started.
    started = {"operations.automation", "operations.launching"}
    assert clocks == started | {
        "commands.acceptances", "commands.maintenance", "commands.method", "commands.retention",
    }  # fmt: skip


@named(MODULES)
def test_a_module_has_a_docstring_and_less_than_three_hundred_lines(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 300
    assert ast.get_docstring(ast.parse(text))


def test_no_asset_reads_the_true_fates_of_synthetic_companies() -> None:
    readers = {module_of(path) for path in MODULES if "oracle" in path.read_text(encoding="utf-8").lower()}
    assert readers == {
        "evaluation.oracle", "evaluation.page", "evaluation.report", "evaluation.results", "operations.evaluation_report",
    }  # fmt: skip


_TABLE = re.compile(rf"\b({'|'.join(sorted({*SUITES, *TABLES}))})\b")


@named([path for path in [*MODULES, *QUERIES] if path.relative_to(PACKAGE).parts[0] in ("engine", "vocabulary")])
def test_the_engine_knows_no_table_of_a_layer_by_name(path: Path) -> None:
    assert not [text for text in _texts(path) if _TABLE.search(text)], "declare it in the layer of the table"


def test_the_wheel_contains_every_file_of_the_product_and_nothing_else(tmp_path: Path) -> None:
    wheels = pytest.importorskip("hatchling.builders.wheel")
    (built,) = wheels.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    assert held == {name for name in files if "__pycache__" not in name} | {"sf_assets_home.pth"}
    assert {Path(name).suffix for name in held} >= {".py", ".sql", ".csv", ".yaml"}


_SQL = re.compile(r"\b(select|insert into|delete from|case when|list_transform)\b|\bupdate \w+ set\b")


@named(MODULES)
def test_sql_of_more_than_three_lines_is_in_a_file(path: Path) -> None:
    long = [text for text in _literals(path) if _SQL.search(text) and len([*filter(str.strip, text.splitlines())]) > 3]
    assert not long, "move it to a `.sql` file beside the module, read by `engine.sql.read_sql`"


def _literals(path: Path) -> Iterator[str]:
    """Yield the string literals of a module, without docstrings; a formatted one comes once, whole."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    formatted = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    left_out = {id(part) for node in formatted for part in ast.walk(node) if part is not node}
    left_out |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node.value
        elif isinstance(node, ast.JoinedStr) and id(node) not in left_out:
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)


def test_long_sql_is_found_in_plain_and_formatted_literals(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    sql = "\n    select 1\n    union all\n    select 2\n    limit {}\n"
    for literal in (f'"""{sql}"""', f'f"""{sql.format("{limit}")}"""'):
        module.write_text(f'"""select: a docstring.\n\na\nb\nc\n"""\n\nQUERY = {literal}\n')
        with pytest.raises(AssertionError, match=r"move it to a `.sql` file"):
            test_sql_of_more_than_three_lines_is_in_a_file(module)


_HORIZON = re.compile(r"eighteen|dix-huit|\b18[  ](?:mois|months?)\b|\binterval 18\b", re.IGNORECASE)


def _texts(path: Path) -> Iterator[str]:
    """Yield the SQL and the string literals of a file, without comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        yield from (line.split("--")[0] for line in text.splitlines())
        return
    tree = ast.parse(text)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


@named([*MODULES, *QUERIES])
def test_the_horizon_is_declared_in_one_place(path: Path) -> None:
    assert not [text for text in _texts(path) if _HORIZON.search(text)], "use partitions.HORIZON_MONTHS"
