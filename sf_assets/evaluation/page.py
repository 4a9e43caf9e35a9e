"""The tables of `docs/evaluation.md`, which an evaluation writes between two marks; the text around them stays."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sf_assets.evaluation.report import READINGS, format_figure
from sf_assets.evaluation.results import EvaluationResults

BEGIN = "<!-- written by `make evaluate`: change nothing below -->"
END = "<!-- end of what `make evaluate` writes -->"

_READINGS = (
    "All companies, those in a procedure left out",
    "Companies never learned from, those in a procedure left out",
    "All companies, those in a procedure counted as failed",
)
_FIGURES = {
    "roc_auc": "ROC AUC", "average_precision": "average precision", "calibration_error": "calibration error",
    "fort_precision": "strong: precision", "fort_recall": "recall", "fort_f05": "F0.5",
    "modere_precision": "moderate: precision", "modere_recall": "recall", "modere_f2": "F2",
}  # fmt: skip
_LISTS = {
    f"liste_{size}_{figure}": f"{size:,}: {figure}"
    for size in (1_000, 5_000, 10_000)
    for figure in ("precision", "recall")
}
_TIME = {
    f"{alert}_{figure}": f"{name}: {label}"
    for alert, name in (("fort", "strong"), ("modere", "moderate"), ("liste_5000", "list of 5,000"))
    for figure, label in (("avance_mois", "months ahead"), ("prevenues", "warned"), ("stabilite", "stays a month"))
}
_DIMENSIONS = ("origine", "periode", "taille", "age", "section", "region")
_GROUP_FIGURES = {
    "roc_auc": "ROC AUC", "average_precision": "average precision",
    "fort_precision": "strong: precision", "modere_precision": "moderate: precision", "modere_recall": "recall",
}  # fmt: skip


def replace_tables(text: str, results: EvaluationResults) -> str:
    """Return the page `text` with the tables between its two marks replaced.

    Raises:
        ValueError: the page does not hold both marks, in order.

    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"page: expected {BEGIN!r} then {END!r}, found {'the first alone' if begin else 'neither'}")
    return f"{before}{BEGIN}\n{chr(10).join(_lines(results))}\n{END}{after}"


def _lines(results: EvaluationResults) -> Iterator[str]:
    yield (
        f"\nMonth {results.month:%Y-%m}, {results.companies:,} companies scored at {len(results.origins)} origins from "
        f"{results.origins[0]} to {results.origins[-1]}."
    )
    for title, (_, companies, reading) in zip(_READINGS, READINGS, strict=True):
        yield f"\n### {title}\n"
        names = _FIGURES | _LISTS if reading == READINGS[0][2] else _FIGURES
        yield from _by_method(results, names, companies, reading)
    yield "\n### Lead time and stability\n"
    yield from _by_method(results, _TIME, READINGS[0][1], READINGS[0][2])
    yield f"\n### By group: `{results.best}`\n"
    yield from _table(["group", "failing companies", *_GROUP_FIGURES.values()], _groups(results))
    yield "\n### Champion\n"
    champion = results.champion["decision"][0] if results.champion.height else "nothing to compare"
    yield f"Decision: {champion}.\n"
    yield from _table(
        ["challenger", "average precision", "champion's", "difference"],
        (
            (f"`{row['candidat']}`", format_figure(row["ap_candidat"]), format_figure(row["ap_tenant"]),
             format_figure(row["difference"], row["bas"], row["haut"]))
            for row in results.champion.iter_rows(named=True)
        ),
    )  # fmt: skip
    yield "\n### What each theme and source adds\n"
    yield from _table(
        ["theme or source", "features", "average precision lost without", "reached by it alone", "adds"],
        (
            (row["nom"], str(row["variables"]), format_figure(row["perte"], row["perte_bas"], row["perte_haut"]),
             format_figure(row["seul"], row["seul_bas"], row["seul_haut"]), "yes" if row["apporte"] else "nothing measurable")
            for row in results.utility.sort("nature", "perte", descending=True).iter_rows(named=True)
        ),
    )  # fmt: skip
    yield "\n### Over the oracle\n"
    yield from _table(
        ["rows", "method", "average precision", "oracle's", "ratio", "bound", "of the bound"],
        (
            (one.group, f"`{one.method}`", format_figure(one.precision.value), format_figure(one.oracle.value),
             format_figure(one.ratio.value, one.ratio.low, one.ratio.high), format_figure(one.bound.value),
             format_figure(one.of_bound.value, one.of_bound.low, one.of_bound.high))
            for one in results.oracle_comparisons
        ),
    )  # fmt: skip


def _by_method(results: EvaluationResults, names: dict[str, str], companies: str, reading: str) -> Iterator[str]:
    """Yield a table with one row per figure and one column per method."""
    rows = []
    for name, label in names.items():
        by_method = {
            row["methode"]: row
            for row in results.overall(name, companies=companies, reading=reading).iter_rows(named=True)
        }
        rows.append((label, *(_format_row(by_method.get(method)) for method in results.methods)))
    yield from _table(["", *(f"`{method}`" for method in results.methods)], rows)


def _groups(results: EvaluationResults) -> Iterator[Sequence[str]]:
    for dimension in _DIMENSIONS:
        rows = results.by_group(results.best, dimension, "failing_companies", *_GROUP_FIGURES)
        for group in results.groups[dimension]:
            by_name = {row["mesure"]: row for row in rows.filter(groupe=group).iter_rows(named=True)}
            failing = by_name.pop("failing_companies")["valeur"]
            yield (
                f"{dimension}: {group}",
                f"{failing:.0f}",
                *(_format_row(by_name.get(name)) for name in _GROUP_FIGURES),
            )


def _format_row(row: dict[str, Any] | None) -> str:
    return format_figure(row["valeur"], row["bas"], row["haut"]) if row else "–"


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headers)} |"
    yield f"|{'---|' * len(headers)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
