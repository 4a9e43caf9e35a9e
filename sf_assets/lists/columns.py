"""The columns of the list's CSV and workbook: French titles, order, and the rights that each one takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from sf_assets.lists.reasons import reason_columns
from sf_assets.lists.selection import LEVELS
from sf_assets.lists.staff import BAND, HEADCOUNT
from sf_assets.vocabulary.scopes import DGEFP, DGFIP, SCORE, URSSAF

Kind = Literal["text", "integer", "percent", "month", "sentence"]
_ORDINALS = ("Premier", "Deuxième", "Troisième")


@dataclass(frozen=True, slots=True)
class Header:
    """A column of the CSV and XLSX files: its French title, its width in characters, the kind of its values.

    An optional column is left out when no company of the list has a value in it. A recipient needs every scope of `scopes` to
    read it.
    """

    column: str
    title: str
    width: int
    kind: Kind = "text"
    optional: bool = False
    scopes: frozenset[str] = frozenset()


_SCORE = frozenset({SCORE})
# Expert rules name debts, short-time work and accounts.
_CORRECTION = frozenset({SCORE, URSSAF, DGEFP, DGFIP})

# What an officer reads first and prints, in order; then, right of the printed columns, addresses and codes.
HEADERS: tuple[Header, ...] = (
    Header("rang", "Rang", 6, "integer", scopes=_SCORE),
    Header("siren", "SIREN", 11),
    Header("raison_sociale", "Raison sociale", 28, "sentence"),
    Header("departement", "Département", 12),
    Header("libelle_activite_principale", "Activité", 26, "sentence"),
    Header(HEADCOUNT, "Effectif", 8, "integer"),
    Header(BAND, "Effectif (tranche INSEE)", 13, optional=True),
    Header("niveau", "Niveau d'alerte", 10, "sentence", scopes=_SCORE),
    Header("probabilite", "Risque", 8, "percent", scopes=_SCORE),
    Header("evolution", "Évolution", 10, "sentence", optional=True, scopes=_SCORE),
    Header("premiere_alerte", "Première alerte", 9, "month", scopes=_SCORE),
    # An answer about an alert says that there was one.
    Header("deja_connue_depuis", "Déjà connue depuis", 9, "month", optional=True, scopes=_SCORE),
    Header("derniere_reponse", "Dernière réponse", 22, "sentence", optional=True, scopes=_SCORE),
    Header("corrections", "Niveau corrigé pour", 24, "sentence", optional=True, scopes=_CORRECTION),
    *(
        Header(column, f"{ordinal} motif", 34, "sentence")
        for column, ordinal in zip(reason_columns(), _ORDINALS, strict=True)
    ),
    Header("adresse", "Adresse", 40, "sentence"),
    Header("siret_siege", "SIRET du siège", 17),
    Header("libelle_region", "Région", 26),
    Header("code_commune", "Code commune", 15),
    Header("code_naf", "Code NAF", 11),
    Header("code_naf25", "Code NAF 2025", 14, optional=True),
    Header("donnees_au", "Données au", 12),
)
LAST_PRINTED = reason_columns()[-1]
# Companies that left the list since the month before.
DEPARTURES = (
    Header("raison_sociale", "Raison sociale", 36, "sentence"),
    Header("siren", "SIREN", 12),
    Header("niveau_precedent", "Niveau le mois dernier", 16),
    Header("raison", "Pourquoi elle n'y figure plus", 60, "sentence"),
)


def missing_from(columns: Sequence[str]) -> list[str]:
    """Return the columns of `HEADERS` that are not among some columns; a size is a head-count or a band."""
    sizes = {HEADCOUNT, BAND}
    needed = [header.column for header in HEADERS if header.column not in sizes]
    return [name for name in needed if name not in columns] + ([] if sizes & {*columns} else [HEADCOUNT])


def headers_of(alerts: pl.DataFrame) -> list[Header]:
    """Return the columns of `HEADERS` that the rows have; optional ones only with a value."""
    there = [header for header in HEADERS if header.column in alerts.columns]
    return [header for header in there if not header.optional or alerts[header.column].count()]


def readable(rows: pl.DataFrame, headers: Sequence[Header]) -> pl.DataFrame:
    """Return the columns of `headers` under their French titles, levels as words, values rounded to what is displayed."""
    labels = {level.rank: level.label for level in LEVELS}
    levels = [name for name in ("niveau", "niveau_precedent") if name in rows.columns]
    named = rows.with_columns(pl.col(levels).replace_strict(labels, return_dtype=pl.String)) if levels else rows
    return named.select(_displayed(header) for header in headers)


def _displayed(header: Header) -> pl.Expr:
    column = pl.col(header.column)
    if header.column == "adresse":
        column = column.str.replace_all(r"\s*\n\s*", ", ")
    if header.kind == "integer":
        column = column.cast(pl.Int64)
    if header.kind == "percent":
        column = column.round(3)
    if header.kind == "month":
        column = column.dt.strftime("%m/%Y")
    return column.alias(header.title)
