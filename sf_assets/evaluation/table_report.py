"""The report of the evaluation of anyone's table: the same tables and curves as for France, in French, as one HTML file."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import polars as pl

from sf_assets.engine.charts.curves import Span, calibration, intervals, precision_recall
from sf_assets.evaluation.figures import ALL_COMPANIES, UNSEEN_COMPANIES
from sf_assets.evaluation.labelled_table import LabelledTable
from sf_assets.evaluation.report import french, html_page, html_table
from sf_assets.evaluation.table_evaluation import TableEvaluation
from sf_assets.model.curves import precision_axis_end
from sf_assets.model.methods import METHODS

_READINGS = {
    ALL_COMPANIES: "Toutes les entreprises, sur les périodes suivantes",
    UNSEEN_COMPANIES: "Entreprises jamais vues à l'apprentissage",
}
_FIGURES = {
    "rows": "lignes", "failing_companies": "entreprises défaillantes", "roc_auc": "AUC",
    "average_precision": "précision moyenne", "calibration_error": "erreur de calibration",
    "calibration_in_the_large": "score − fréquence", "fort_precision": "fort : précision", "fort_recall": "fort : rappel",
    "fort_f05": "fort : F0,5", "modere_precision": "modéré : précision", "modere_recall": "modéré : rappel",
    "modere_f2": "modéré : F2", "part_1%_precision": "1 % de tête : précision", "part_1%_recall": "1 % de tête : rappel",
    "part_5%_precision": "5 % de tête : précision", "part_5%_recall": "5 % de tête : rappel",
    "part_10%_precision": "10 % de tête : précision", "part_10%_recall": "10 % de tête : rappel",
}  # fmt: skip
_COUNTS = ("rows", "failing_companies")


def render_table_report(name: str, table: LabelledTable, evaluation: TableEvaluation) -> str:
    """Return the report of a table called `name` as one HTML text."""
    body = "\n".join((*_introduction(table, evaluation), *_overall(evaluation), *_curves(evaluation)))
    return html_page(f"Ce que valent les méthodes : {name}", body)


def _introduction(table: LabelledTable, evaluation: TableEvaluation) -> Iterator[str]:
    failing = len({int(one) for one in table.company[table.target]})
    periods = (
        f"Apprentissage : {evaluation.learned}. Mesure : {evaluation.measured}, plus tard."
        if evaluation.learned != evaluation.measured
        else "Une seule période : chaque entreprise est notée par des méthodes qui ont appris des autres."
    )
    yield (
        f"<p>{table.rows.height} lignes de {len(set(table.company.tolist()))} entreprises, dont {failing} défaillantes, "
        f"{len(table.features)} variables. {escape(periods)} Entre crochets, intervalles à 95 % obtenus en tirant de nouveau les "
        "entreprises, avec toutes leurs périodes. AUC, précision moyenne et parts de tête jugent l'ordre des entreprises d'une "
        "même période ; les seuils des niveaux sont choisis sur les périodes d'apprentissage, entreprises mises à part.</p>"
    )
    if table.left_out:
        left_out = escape(", ".join(table.left_out))
        yield f"<p>Colonnes laissées de côté, ni nombres ni catégories assez fréquentes : {left_out}.</p>"
    if evaluation.setting and evaluation.setting.compared:
        best, *rest = evaluation.setting.compared
        used = f"{_setting(evaluation.setting.setting)} ({french(best.log_loss)})"
        others = [f"{_setting(one.setting)} ({french(one.log_loss)})" for one in rest]
        yield (
            f"<p>Réglage du boosting : {escape(used)}, celui de la plus faible perte logarithmique sur les périodes les plus "
            f"récentes de l'apprentissage, entreprises mises à part ; comparé à {escape(' ; '.join(others))}.</p>"
        )
    for name, reason in evaluation.skipped.items():
        yield f"<p>Sans {escape(METHODS[name].label)} : {escape(reason)}.</p>"


def _setting(setting: Mapping[str, Any]) -> str:
    words = {"leaves": "feuilles", "leaf_rows": "lignes par feuille", "columns": "part des variables"}
    return (
        ", ".join(f"{words.get(name, name)} {value:.3g}" for name, value in setting.items()).replace(".", ",")
        or "d'origine"
    )


def _overall(evaluation: TableEvaluation) -> Iterator[str]:
    for companies, title in _READINGS.items():
        rows = evaluation.figures.filter(entreprises=companies)
        if rows.is_empty():
            continue
        methods = ranked_methods(rows)
        yield f"<h2>{title}</h2>"
        yield html_table(
            ["", *(METHODS[method].label for method in methods)],
            ([label, *(_cell(rows, method, name) for method in methods)] for name, label in _FIGURES.items()),
        )
        spans = [Span(METHODS[method].label, *_values(rows, method, "average_precision")) for method in methods]
        yield intervals(spans, title="Précision moyenne")


def _curves(evaluation: TableEvaluation) -> Iterator[str]:
    yield "<h2>Courbes</h2>"
    end = precision_axis_end(evaluation.precision_recall)
    yield precision_recall(evaluation.precision_recall, title="Précision et rappel", y_max=end)
    yield calibration(evaluation.calibration, title="Calibration, dix groupes de même taille")


def ranked_methods(rows: pl.DataFrame) -> list[str]:
    """Return the methods of some figures, in descending order of average precision."""
    ranked = rows.filter(mesure="average_precision").sort("valeur", descending=True, nulls_last=True)
    return list(ranked["methode"])


def summary_lines(evaluation: TableEvaluation) -> Iterator[str]:
    """Yield the average precision and the calibration error of every method and reading, line by line."""
    for companies in _READINGS:
        rows = evaluation.figures.filter(entreprises=companies)
        if rows.height:
            yield f"\n{companies:<12}{'average precision':>28}{'calibration error':>28}"
            for method in ranked_methods(rows):
                cells = (_text(rows, method, name) for name in ("average_precision", "calibration_error"))
                yield f"  {method:<12}" + "".join(f"{cell:>27}" for cell in cells)


def _values(rows: pl.DataFrame, method: str, name: str) -> tuple[float | None, float | None, float | None]:
    found = rows.filter(methode=method, mesure=name).select("valeur", "bas", "haut").rows()
    return found[0] if found else (None, None, None)


def _cell(rows: pl.DataFrame, method: str, name: str) -> str:
    value, low, high = _values(rows, method, name)
    return f"{value:,.0f}".replace(",", " ") if value is not None and name in _COUNTS else french(value, low, high)


def _text(rows: pl.DataFrame, method: str, name: str) -> str:
    value, low, high = _values(rows, method, name)
    return "–" if value is None else f"{value:.3f}" + (f" [{low:.3f}, {high:.3f}]" if low is not None else "")
