"""The HTML of a list's page: template, styles and script in one file, which loads nothing from elsewhere."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import jinja2
import polars as pl
from markupsafe import Markup

from sf_assets.features.registry import FEATURES_OF, THEMES
from sf_assets.lists.answers import CHOICES
from sf_assets.lists.document import list_name
from sf_assets.lists.page.content import MONTHS_SHOWN, SIZES, Sheets
from sf_assets.lists.page.help import HELPS
from sf_assets.lists.readme import About, percent, readme_lines
from sf_assets.lists.selection import LEVELS
from sf_assets.lists.wording import MONTHS, NBSP
from sf_assets.sources.batch import batch_key
from sf_assets.sources.retour import CONTACTED, CONTACTED_ON, LIST, OFFERED, RECIPIENT, REMARK, USEFULNESS
from sf_assets.vocabulary.modes import Mode
from sf_assets.vocabulary.partitions import add_months

_FOLDER = files("sf_assets.lists.page")
# Inside a script element, `<` could start its end: JSON may write it otherwise.
_ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})
# Choices of the table's filters: the column of rows, its label, and the order of its values when it is not alphabetical.
_FILTERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("departement", "Département", ()),
    ("libelle_niveau", "Niveau", tuple(level.label for level in reversed(LEVELS))),
    ("libelle_section", "Secteur", ()),
    ("taille", "Effectif", tuple(name for _, name in SIZES)),
    ("evolution", "Depuis le mois dernier", ()),
)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the table: its key in the script, its title, the column of rows that fills it; left out without it.

    An optional column is also left out when no row has a value in it.
    """

    key: str
    title: str
    source: str
    kind: str = "text"
    sorts: bool = True
    optional: bool = False


_COLUMNS = (
    _Column("rang", "Rang", "rang", "number"),
    _Column("nom", "Entreprise", "raison_sociale", "name"),
    _Column("departement", "Dépt", "departement"),
    _Column("secteur", "Secteur", "libelle_section"),
    _Column("effectif", "Effectif", "effectif", "number"),
    _Column("effectif", "Effectif", "tranche"),
    _Column("niveau", "Niveau", "libelle_niveau", "level"),
    _Column("risque", "Risque", "probabilite", "percent"),
    _Column("evolution", "Évolution", "evolution"),
    _Column("reponse", "Dernière réponse", "derniere_reponse", sorts=False, optional=True),
    _Column("motif", "Premier motif", "motif_1", "reason", sorts=False),
)


# The answers of a sheet, by the title that the file of answers gives each: name and kind of its field, and its choices.
_ANSWERS = (
    (CONTACTED, "contactee", "choice", CHOICES[CONTACTED]),
    (CONTACTED_ON, "contactee_le", "date", ()),
    (USEFULNESS, "utilite", "choice", CHOICES[USEFULNESS]),
    (OFFERED, "aide", "text", ()),
    (REMARK, "remarque", "text", ()),
)
ANSWERED = ("SIREN", LIST, RECIPIENT, *(title for title, *_ in _ANSWERS))


@cache
def _environment() -> jinja2.Environment:
    """Return the environment of the template: names and reasons are escaped wherever they stand."""
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"percent": percent, "count": _count}
    return made


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def page(content: Sheets, about: About, *, recipient: str = "") -> str:
    """Return the page of a month's list: purpose, filters, table, and the data of the companies' sheets.

    For a `recipient` each sheet has the answers that an officer fills in, which the page exports as a file to send back.
    """
    months = [add_months(about.month, n) for n in range(1 - MONTHS_SHOWN, 1)]
    themes, sheets = themes_of(about.mode, content.sheets)
    data = {
        "mois": [f"{MONTHS[month.month - 1]} {month.year}" for month in months],
        "themes": themes,
        "aides": [one.text for one in HELPS],
        "fiches": json.loads(sheets.write_json()),
        "retour": {"entete": ANSWERED, "liste": batch_key(about.month), "destinataire": recipient}
        if recipient
        else None,
    }
    encoded = json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPED)
    return (
        _environment()
        .get_template("list.html.j2")
        .render(
            title=list_name(about.month),
            cutoff=f"{about.cutoff:%d/%m/%Y}",
            probabilities=about.probabilities,
            rows=content.rows.to_dicts(),
            columns=[column for column in _COLUMNS if _is_there(column, content.rows)],
            filters=[
                (name, label, _choices(content.rows[name], order))
                for name, label, order in _FILTERS
                if name in content.rows.columns
            ],
            hides_reasons=content.hides_reasons,
            answers=_ANSWERS if recipient else (),
            lines=readme_lines(about),
            data=Markup(encoded),  # noqa: S704 - JSON whose brackets are escaped above
            style=Markup(_text("list.css")),  # noqa: S704 - a file of this package
            script=Markup(_text("list.js")),  # noqa: S704 - a file of this package
        )
    )


def _is_there(column: _Column, rows: pl.DataFrame) -> bool:
    return column.source in rows.columns and (not column.optional or rows[column.source].count() > 0)


def themes_of(mode: Mode, sheets: pl.DataFrame) -> tuple[list[str], pl.DataFrame]:
    """Return the names of the themes that a mode has features of, and the sheets with their positions among these."""
    there = {feature.theme for feature in FEATURES_OF[mode]}
    places = [place for place, theme in enumerate(THEMES) if theme in there]
    names = [name for theme, name in THEMES.items() if theme in there]
    if len(places) == len(THEMES):
        return names, sheets
    moved = {place: number for number, place in enumerate(places)}
    unknown = pl.col("inconnus").list.eval(pl.element().replace_strict(moved, return_dtype=pl.Int32))
    bars = [pl.col("themes").list.gather(places)] if "themes" in sheets.columns else []
    return names, sheets.with_columns(unknown, *bars)


def _choices(values: pl.Series, order: tuple[str, ...]) -> list[str]:
    """Return the distinct values of a column, in the given order, otherwise sorted."""
    found = set(values.drop_nulls())
    return [value for value in order if value in found] if order else sorted(found)


def _count(value: float | None) -> str:
    """Write a count with thousands separated; nothing when it is not known."""
    return "" if value is None else f"{value:,.0f}".replace(",", NBSP)
