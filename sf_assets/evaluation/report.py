"""The report of an evaluation: one HTML file in French, without scripts or external resources, in light and dark colours."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

import polars as pl

from sf_assets.engine.charts.curves import Span, calibration, intervals, precision_recall
from sf_assets.engine.charts.histogram import histogram
from sf_assets.engine.charts.svg import NBSP
from sf_assets.evaluation.figures import ALL_COMPANIES, OUTSIDE_PROCEDURE, PROCEDURES_AS_FAILURES, UNSEEN_COMPANIES
from sf_assets.evaluation.help_report import effect_table, group_table, groups_of, list_table
from sf_assets.evaluation.results import EvaluationResults
from sf_assets.evaluation.tables import FEWEST, LARGEST_INDEX
from sf_assets.model.curves import precision_axis_end
from sf_assets.model.methods import METHODS
from sf_assets.vocabulary.partitions import HORIZON_MONTHS

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .3rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; } td { white-space: nowrap; }
td:first-child { white-space: normal; min-width: 9rem; } td small { font-size: 11px; } tbody tr:hover { background: var(--soft); }
small { opacity: .75; } svg { max-width: 100%; height: auto; margin: .5rem 1.5rem .5rem 0; }
.wide { overflow-x: auto; }
"""
READINGS = (
    ("Toutes les entreprises, hors procédure", ALL_COMPANIES, OUTSIDE_PROCEDURE),
    ("Entreprises jamais vues à l'apprentissage, hors procédure", UNSEEN_COMPANIES, OUTSIDE_PROCEDURE),
    (
        "Toutes les entreprises, celles déjà en procédure comptées comme défaillantes",
        ALL_COMPANIES,
        PROCEDURES_AS_FAILURES,
    ),
)
_QUALITY = {
    "roc_auc": "AUC", "average_precision": "précision moyenne", "calibration_error": "erreur de calibration",
    "fort_precision": "fort : précision", "fort_recall": "fort : rappel", "fort_f05": "fort : F0,5",
    "fort_balanced_accuracy": "fort : exactitude équilibrée", "modere_precision": "modéré : précision",
    "modere_recall": "modéré : rappel", "modere_f2": "modéré : F2",
    "modere_balanced_accuracy": "modéré : exactitude équilibrée",
}  # fmt: skip
_LISTS = {
    f"liste_{size}_{figure}": f"liste de {size:,} : {label}".replace(",", " ")
    for size in (1_000, 5_000, 10_000)
    for figure, label in (("precision", "précision"), ("recall", "rappel"))
}
_TIME = {
    f"{alert}_{figure}": f"{name} : {label}"
    for alert, name in (("fort", "fort"), ("modere", "modéré"), ("liste_5000", "liste de 5 000"))
    for figure, label in (("avance_mois", "avance (mois)"), ("prevenues", "prévenues"), ("stabilite", "stabilité"))
}
_DIMENSIONS = {
    "origine": "Par origine", "periode": "En 2020-2021 et les autres années", "section": "Par section d'activité",
    "taille": "Par effectif", "age": "Par âge", "region": "Par région",
}  # fmt: skip
_GROUP_FIGURES = {
    "rows": "lignes", "failing_companies": "défaillances", "roc_auc": "AUC", "average_precision": "précision moyenne",
    "fort_precision": "fort : précision", "fort_recall": "fort : rappel", "modere_precision": "modéré : précision",
    "modere_recall": "modéré : rappel", "calibration_in_the_large": "score − fréquence",
}  # fmt: skip
_LEVELS = {"fort": "fort", "modere": "modéré"}
_KINDS = {"theme": "thème", "source": "source"}
_COUNTS = ("rows", "failing_companies")


def render_report(results: EvaluationResults) -> str:
    """Return the report as one HTML text."""
    sections = (_introduction, _overall, _curves, _groups, _champion, _utility, _oracle, _drift, _verification, _help)
    body = "\n".join(line for section in sections for line in section(results))
    title = f"Ce que valent les méthodes, {results.month:%m/%Y}"
    return html_page(title, body)


def html_page(title: str, body: str) -> str:
    """Return an HTML page in the style of the report; `body` is HTML, `title` is text."""
    return (
        f'<!doctype html>\n<html lang="fr"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def format_figure(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a figure as text, with its interval when it has one: three decimals up to 1, one decimal above, – for None.

    >>> format_figure(0.1234, 0.1, 0.15), format_figure(None), format_figure(12.34)
    ('0.123 [0.100, 0.150]', '–', '12.3')
    """
    if value is None:
        return "–"
    digits = 3 if abs(value) <= 1 else 1
    return f"{value:.{digits}f}" + (
        f" [{low:.{digits}f}, {high:.{digits}f}]" if low is not None and high is not None else ""
    )


def french(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a figure as `format_figure` does, with French punctuation.

    >>> french(0.1234, 0.1, 0.15)
    '0,123 [0,100 ; 0,150]'
    """
    return format_figure(value, low, high).replace(", ", " ; ").replace(".", ",")


def _introduction(results: EvaluationResults) -> Iterator[str]:
    yield (
        f"<p>Retour à {len(results.origins)} origines, de {results.origins[0]} à {results.origins[-1]} : à chacune, les méthodes "
        f"apprennent ce qui était connu alors (les issues des {HORIZON_MONTHS} mois précédents ne l'étaient pas) et notent "
        f"les mois qui suivent. {_thousands(results.companies)} entreprises notées. "
        "Entre crochets, intervalles à 95 % obtenus en tirant de nouveau les entreprises, avec tous leurs mois. Les listes de "
        "1 000, 5 000 et 10 000 valent pour 350 000 entreprises : elles sont ramenées au nombre noté chaque mois. "
        "AUC et précision moyenne jugent l'ordre des entreprises d'un même mois.</p>"
        "<p>Ces scores servent à proposer une aide, jamais à contrôler.</p>"
    )


def _overall(results: EvaluationResults) -> Iterator[str]:
    for title, companies, reading in READINGS:
        names = _QUALITY | _LISTS | (_TIME if reading == OUTSIDE_PROCEDURE else {})
        cells = {label: results.overall(name, companies=companies, reading=reading) for name, label in names.items()}
        yield f"<h2>{title}</h2>"
        yield html_table(
            ["", *(METHODS[method].label for method in results.methods)],
            (
                [label, *(_cell(frame, "methode", method) for method in results.methods)]
                for label, frame in cells.items()
            ),
        )
    yield (
        "<p><small>Avance : médiane des mois entre la première alerte et l'ouverture de la procédure. Prévenues : part des "
        f"entreprises défaillantes mises en alerte dans les {HORIZON_MONTHS} mois d'avant. Stabilité : part des entreprises "
        "en alerte qui le sont encore le mois suivant.</small></p>"
    )


def _curves(results: EvaluationResults) -> Iterator[str]:
    yield "<h2>Courbes</h2>"
    yield precision_recall(
        results.precision_recall, title="Précision et rappel", y_max=precision_axis_end(results.precision_recall)
    )
    yield calibration(results.calibration, title="Calibration, dix groupes de même taille")
    last = results.by_group(results.best, "origine", "seuil_fort", "seuil_modere").filter(groupe=results.origins[-1])
    thresholds = {
        _LEVELS[row["mesure"].removeprefix("seuil_")]: row["valeur"]
        for row in last.iter_rows(named=True)
        if row["valeur"]
    }
    yield f"<h3>Scores : {METHODS[results.best].label}, seuils de la dernière origine</h3>"
    yield histogram(results.distribution, thresholds, title=f"Scores : {METHODS[results.best].label}")


def _groups(results: EvaluationResults) -> Iterator[str]:
    yield f"<h2>Par groupe : {METHODS[results.best].label}</h2>"
    (overall,) = results.overall("average_precision").filter(methode=results.best)["valeur"]
    for dimension, title in _DIMENSIONS.items():
        rows = results.by_group(results.best, dimension, *_GROUP_FIGURES)
        names = results.groups[dimension]
        precision = rows.filter(mesure="average_precision")
        yield f"<h3>{title}</h3>"
        yield intervals(
            [Span(group, *_values(precision, "groupe", group)) for group in names],
            title="Précision moyenne (trait : ensemble)",
            reference=overall,
        )
        yield html_table(
            ["groupe", *_GROUP_FIGURES.values()],
            ([group, *(_cell(rows.filter(mesure=name), "groupe", group) for name in _GROUP_FIGURES)]
             for group in names),
        )  # fmt: skip


def _champion(results: EvaluationResults) -> Iterator[str]:
    yield "<h2>Champion</h2>"
    for row in results.champion.head(1).iter_rows(named=True):
        yield f"<p>En place : {row['tenant']}. Décision : {row['champion']}, pour les listes des mois suivants.</p>"
    yield html_table(
        ["candidat", "précision moyenne", "en place", "différence", "remplace"],
        ([row["candidat"], french(row["ap_candidat"]), french(row["ap_tenant"]),
          french(row["difference"], row["bas"], row["haut"]), "oui" if row["remplace"] else "non"]
         for row in results.champion.iter_rows(named=True)),
    )  # fmt: skip


def _utility(results: EvaluationResults) -> Iterator[str]:
    yield "<h2>Ce qu'apporte chaque thème et chaque source</h2>"
    for nature, kind in _KINDS.items():
        rows = results.utility.filter(nature=nature).sort("perte", descending=True)
        spans = [
            Span(row["nom"], row["perte"], row["perte_bas"], row["perte_haut"]) for row in rows.iter_rows(named=True)
        ]
        yield intervals(spans, title=f"Précision moyenne perdue sans : {kind}")
        yield html_table(
            [kind, "variables", "perdue sans", "atteinte par cela seul", "apporte"],
            ([row["nom"], str(row["variables"]), french(row["perte"], row["perte_bas"], row["perte_haut"]),
              french(row["seul"], row["seul_bas"], row["seul_haut"]), "oui" if row["apporte"] else "rien de mesurable"]
             for row in rows.iter_rows(named=True)),
        )  # fmt: skip


def _oracle(results: EvaluationResults) -> Iterator[str]:
    if not results.oracle_comparisons:
        return
    yield "<h2>Rapport à l'oracle (France synthétique)</h2>"
    yield (
        "<p>L'oracle connaît l'état caché des entreprises. La borne est ce que les variables en disent : sa probabilité, apprise "
        "d'elles sur d'autres entreprises.</p>"
    )
    yield html_table(
        ["lignes", "méthode", "précision moyenne", "oracle", "rapport", "borne", "part de la borne"],
        ([one.group, METHODS[one.method].label, french(one.precision.value), french(one.oracle.value),
          french(one.ratio.value, one.ratio.low, one.ratio.high), french(one.bound.value),
          french(one.of_bound.value, one.of_bound.low, one.of_bound.high)] for one in results.oracle_comparisons),
    )  # fmt: skip


def _drift(results: EvaluationResults) -> Iterator[str]:
    yield "<h2>Dérive du mois</h2>"
    beyond = results.drift.filter(pl.col("psi") > LARGEST_INDEX).height
    yield f"<p>{beyond} indices de stabilité dépassent {LARGEST_INDEX} ; les dix plus grands, puis les scores :</p>"
    ranked = results.drift.sort("psi", descending=True, nulls_last=True)
    listed = pl.concat([ranked.filter(nature="variable").head(10), ranked.filter(nature="score")])
    yield html_table(
        ["variable ou score", "indice", "connus à l'apprentissage", "connus ce mois", "médiane à l'apprentissage", "ce mois"],
        ([row["nom"], *(french(row[name]) for name in
          ("psi", "connus_reference", "connus_mois", "mediane_reference", "mediane_mois"))]
         for row in listed.iter_rows(named=True)),
    )  # fmt: skip


def _verification(results: EvaluationResults) -> Iterator[str]:
    yield f"<h2>Listes passées, {HORIZON_MONTHS} mois après</h2>"
    if results.verification.is_empty():
        yield f"<p>Aucune liste n'a encore {HORIZON_MONTHS} mois.</p>"
        return
    yield html_table(
        ["liste", "niveau", "entreprises", "défaillances", "précision", "annoncée"],
        ([f"{row['mois_liste']:%Y-%m}", "fort" if row["niveau"] == 2 else "tous", str(row["entreprises"]),  # noqa: PLR2004 - the level
          str(row["defaillances"]), french(row["precision"], row["bas"], row["haut"]), french(row["precision_annoncee"])]
         for row in results.verification.iter_rows(named=True)),
    )  # fmt: skip


def _help(results: EvaluationResults) -> Iterator[str]:
    yield "<h2>Ce que les listes ont apporté</h2>"
    if results.answers.is_empty():
        yield "<p>Aucune liste n'a été publiée avant ce mois.</p>"
        return
    yield (
        f"<p>Réponses des agents et devenir des entreprises des listes publiées. Les chiffres de moins de {FEWEST} entreprises "
        "sont masqués. Les réponses n'entrent dans aucun calcul du risque.</p>"
    )
    yield html_table(*list_table(results.answers))
    for dimension in groups_of(results.answers):
        yield html_table(*group_table(results.answers, dimension))
    yield "<h3>Ce que l'aide change</h3>"
    yield (
        "<p>De part et d'autre du seuil, les entreprises se ressemblent : ce qui change au seuil vient de la liste, tant que les "
        "contrôles ne trouvent rien ailleurs. Cela ne dit rien des entreprises loin du seuil. Comparer les entreprises "
        "contactées aux autres ne prouve rien : les agents choisissent qui ils appellent, pour des raisons non écrites.</p>"
    )
    yield html_table(*effect_table(results.effect))


def _values(rows: pl.DataFrame, column: str, name: str) -> tuple[float | None, float | None, float | None]:
    values = rows.filter(pl.col(column) == name).select("valeur", "bas", "haut").rows()
    return values[0] if values else (None, None, None)


def _cell(rows: pl.DataFrame, column: str, name: str) -> str:
    value, low, high = _values(rows, column, name)
    if value is not None and rows["mesure"][0] in _COUNTS:
        return _thousands(value)
    return french(value, low, high)


def html_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as HTML; cells are text."""
    head = "".join(f"<th>{escape(text)}</th>" for text in headers)
    body = "".join(f"<tr>{''.join(f'<td>{_two_lines(text)}</td>' for text in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _two_lines(text: str) -> str:
    """Return the HTML of a cell, a figure above its interval: tables of nine figures then fit a page of 1,100 pixels."""
    figure, bracket, interval = text.partition(" [")
    return escape(figure) + (f"<br><small>[{escape(interval)}</small>" if bracket else "")


def _thousands(value: float) -> str:
    return f"{value:,.0f}".replace(",", NBSP)
