"""What lists brought, in French: the section of the report, and the lines of `sf answers`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import polars as pl

from sf_assets.engine.storage import Session
from sf_assets.evaluation.answers import HIDDEN, OVERALL
from sf_assets.evaluation.tables import ANSWERS, EFFECT, FEWEST
from sf_assets.vocabulary.partitions import HORIZON_MONTHS

FIGURES: Mapping[str, str] = {
    "contactees": "contactées",
    "delai_jours": "délai médian du contact (jours)",
    "utiles": "jugées utiles",
    "deja_connues": "déjà connues",
    "erronees": "alertes erronées",
    "hors_ressort": "hors ressort",
    "defaillances": f"défaillances à {HORIZON_MONTHS} mois",
    "defaillances_contactees": "dont contactées",
    "defaillances_autres": "dont non contactées",
}
ESTIMATES: Mapping[str, str] = {
    "effet_publication": "Figurer sur la liste, au seuil : défaillances en plus (+) ou en moins (−)",
    "effet_publication_demi_largeur": "la même, sur une bande deux fois plus étroite",
    "effet_publication_double_largeur": "la même, sur une bande deux fois plus large",
    "saut_publication": "Part publiée, en plus au-dessus du seuil",
    "saut_contact": "Part contactée, en plus au-dessus du seuil",
    "effet_contact": "Être contactée parce qu'on figure sur la liste, au seuil",
    "saut_densite": "Contrôle : saut du nombre d'entreprises au seuil (0 attendu)",
    "temoin_dessous": "Contrôle : faux seuil au-dessous (0 attendu)",
    "temoin_dessus": "Contrôle : faux seuil au-dessus (0 attendu)",
    "difference": "Contactées contre non contactées de même risque (ne prouve aucun effet)",
}
LEVELS = {1: "toutes", 2: "fort"}
_DAYS = "delai_jours"
_GROUPS = {"departement": "Département", "region": "Région", "section": "Section", "taille": "Effectif"}


def read_help(session: Session, month: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of `eval_answers` and `eval_effect` of a month."""
    session.bind({ANSWERS: month, EFFECT: month})
    answers, effect = (
        session.connection.execute(f"from {name} order by all").pl() for name in (ANSWERS.name, EFFECT.name)
    )
    return answers, effect


def list_table(answers: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the titles and cells of the figures of each list and level, all companies together."""
    rows = answers.filter(dimension=OVERALL)
    places = rows.select("mois_liste", "niveau").unique().sort("mois_liste", "niveau").rows()
    cells = [
        [f"{month:%m/%Y}", LEVELS[level], *_figures(rows.filter(mois_liste=month, niveau=level), FIGURES)]
        for month, level in places
    ]
    return ["liste", "niveau", *FIGURES.values()], cells


def group_table(answers: pl.DataFrame, dimension: str) -> tuple[list[str], list[list[str]]]:
    """Return the titles and cells of the figures of the groups of a dimension, in the newest list, all alerts."""
    rows = answers.filter(dimension=dimension, niveau=1).filter(pl.col("mois_liste") == pl.col("mois_liste").max())
    names = rows["groupe"].unique().sort()
    return [_GROUPS[dimension], *FIGURES.values()], [
        [name, *_figures(rows.filter(groupe=name), FIGURES)] for name in names
    ]


def effect_table(effect: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the titles and cells of the estimates of what help changes."""
    by_name = {row["mesure"]: row for row in effect.iter_rows(named=True)}
    return ["estimation", "valeur", "lignes"], [
        [text, _estimate(by_name[name]), f"{by_name[name]['lignes']}"]
        for name, text in ESTIMATES.items()
        if name in by_name
    ]


def help_lines(answers: pl.DataFrame, effect: pl.DataFrame) -> Iterator[str]:
    """Yield what was answered and what help changes, line by line."""
    if answers.is_empty():
        yield "aucune liste publiée avant ce mois"
    titles, lists = list_table(answers)
    for month, level, *figures in lists:
        yield f"liste de {month}, niveau {level}"
        yield from (f"  {title} : {figure}" for title, figure in zip(titles[2:], figures, strict=True))
    yield from (f"{text} : {value}" for text, value, _ in effect_table(effect)[1])


def groups_of(answers: pl.DataFrame) -> Sequence[str]:
    """Return the dimensions that have groups."""
    return [name for name in _GROUPS if not answers.filter(dimension=name).is_empty()]


def _figures(rows: pl.DataFrame, names: Mapping[str, str]) -> list[str]:
    by_name = {row["mesure"]: row for row in rows.iter_rows(named=True)}
    return [_figure(by_name.get(name), days=name == _DAYS) for name in names]


def _figure(row: Mapping[str, object] | None, *, days: bool) -> str:
    if row is None or row["valeur"] is None:
        return f"moins de {FEWEST}" if row is not None and row["raison"] == HIDDEN else "–"
    of = "" if days else f" sur {row['entreprises']}"
    return f"{_number(row['valeur'], days=days)}{of} [{_number(row['bas'], days=days)} ; {_number(row['haut'], days=days)}]"


def _estimate(row: Mapping[str, object]) -> str:
    if row["valeur"] is None:
        return "– (pas assez d'entreprises dont l'issue est connue)"
    texts = [f"{value:+.3f}".replace(".", ",").replace("-", "−") for value in (row["valeur"], row["bas"], row["haut"])]
    return f"{texts[0]} [{texts[1]} ; {texts[2]}]"


def _number(value: object, *, days: bool) -> str:
    number = float(str(value))
    return f"{number:.0f}" if days else f"{100 * number:.1f}".replace(".", ",") + "\N{NO-BREAK SPACE}%"
