"""The columns of a recipient's workbook that an officer fills in: choices, validation, protection of everything else."""

from typing import Any

import polars as pl

from sf_assets.sources.retour import (
    CONTACTED,
    CONTACTED_ON,
    LIST,
    OFFERED,
    RECIPIENT,
    REMARK,
    USEFULNESS,
    UTILITIES,
)

CHOICES = {CONTACTED: ("Oui", "Non"), USEFULNESS: UTILITIES}
_WIDTHS = {CONTACTED: 11, CONTACTED_ON: 13, USEFULNESS: 22, OFFERED: 40, REMARK: 50}
_DAY = "JJ/MM/AAAA"
ADVICE = (
    "Remplissez les colonnes de droite (contactée, date, utilité, aide proposée, remarque), puis renvoyez ce fichier sous le nom "
    "« retour_<destinataire>_<mois>.xlsx ». Les autres cellules sont protégées. Vous pouvez aussi répondre dans la page de la "
    "même liste, qui exporte le fichier à renvoyer. Vos réponses servent à mesurer l'utilité des listes : elles n'entrent jamais "
    "dans le calcul du risque. Ceux qui peuvent voir l'entreprise lisent votre dernier avis et sa date à côté de la liste "
    "suivante, sans votre nom ; l'aide proposée et la remarque ne sont lues que par l'équipe, et effacées après deux ans."
)


def with_answers(rows: pl.DataFrame, key: str, recipient: str) -> pl.DataFrame:
    """Return the rows of a list with the columns to fill in, empty, and what tells which list and recipient they are of."""
    given = {LIST: key, RECIPIENT: recipient} | dict.fromkeys(_WIDTHS)
    return rows.with_columns(pl.lit(value, pl.String).alias(title) for title, value in given.items())


def answer_formats() -> dict[str, dict[str, Any]]:
    """Return the cell formats of the columns to fill in: the only cells that protection leaves open."""
    return {title: {"num_format": "@", "locked": False, "text_wrap": True, "bg_color": "#FFF8E1"} for title in _WIDTHS}


def answer_widths() -> dict[str, int]:
    """Return the widths of the added columns, in characters."""
    return {LIST: 8, RECIPIENT: 20, **_WIDTHS}


def guard_answers(sheet: Any, columns: list[str], rows: int) -> None:
    """Protect a sheet of `rows` companies, and validate the cells that stay open; `columns` are all of its titles."""
    for title in (CONTACTED, CONTACTED_ON, USEFULNESS) if rows else ():
        rule: dict[str, Any] = (
            {"validate": "list", "source": list(CHOICES[title])}
            if title in CHOICES
            else {"validate": "length", "criteria": "==", "value": len(_DAY)}
        )
        expected = f"une date {_DAY}" if title not in CHOICES else f"une valeur parmi : {', '.join(CHOICES[title])}"
        place = columns.index(title)
        sheet.data_validation(
            1, place, rows, place, rule | {"error_title": title, "error_message": f"Valeur attendue : {expected}."}
        )
    sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})
