"""Official names of codes, as INSEE and the producers publish them: activities, legal forms, departments, streets.

One CSV per table: UTF-8, comma, header, sorted by code; all columns are texts except `labels_motif_recours.id` and
`bodacc_natures.rang`. The same rows serve every batch, except a batch that delivers a newer edition.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import duckdb

from sf_assets.sources.nomenclatures.updates import read_csv, read_label_table
from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.schema import Column, Table

_NAF = r"[0-9]{2}\.[0-9]{2}[A-Z]"


def _naf(edition: str) -> tuple[Column, ...]:
    return (
        Column("niv5", "VARCHAR", f"sub-class, {edition}", pattern=_NAF),
        Column("niv4", "VARCHAR", f"class, {edition}"),
        Column("niv3", "VARCHAR", f"group, {edition}"),
        Column("niv2", "VARCHAR", f"division, {edition}"),
        Column("niv1", "VARCHAR", f"section letter, {edition}"),
        Column("niv1_libelle", "VARCHAR", "name of the section"),
        Column("niv5_libelle", "VARCHAR", "name of the sub-class"),
    )


TABLES = (
    Table("naf_codes", "one activity of NAF rev. 2", _naf("NAF rev. 2"), key=("niv5",)),
    Table("naf25_codes", "one activity of NAF 2025", _naf("NAF 2025"), key=("niv5",)),
    Table(
        "naf_passage",
        "one relation of INSEE's correspondence: part of an activity of NAF rev. 2 belongs to an activity of NAF 2025",
        (
            Column("naf", "VARCHAR", "sub-class, NAF rev. 2", pattern=_NAF),
            Column("naf25", "VARCHAR", "sub-class, NAF 2025", pattern=_NAF),
        ),
        key=("naf", "naf25"),
    ),
    Table(
        "categories_juridiques",
        "one legal category, INSEE level III",
        (
            Column("code", "VARCHAR", "legal category", pattern=r"[0-9]{4}"),
            Column("libelle", "VARCHAR", "name of the legal category"),
        ),
        key=("code",),
    ),
    Table(
        "labels_departement_region",
        "one department or overseas territory, with its region",
        pick("departement libelle_departement region libelle_region"),
        key=("departement",),
    ),
    Table(
        "labels_motif_recours",
        "one reason for a request for short-time work",
        (
            Column("id", "INTEGER", "reason for the request, 1 to 7"),
            Column("label", "VARCHAR", "name of the reason; 6 and 7 share theirs"),
        ),
        key=("id",),
    ),
    Table(
        "types_voie",
        "one kind of street",
        (
            Column("code", "VARCHAR", "kind of street as INSEE abbreviates it"),
            Column("libelle", "VARCHAR", "kind of street, in full"),
        ),
        key=("code",),
    ),
    Table(
        "bodacc_natures",
        "one nature of judgment in the wording of BODACC, with its meaning for the company",
        (
            Column("rang", "INTEGER", "order in which natures are compared: the first that matches is used"),
            Column("nature", "VARCHAR", "nature of the judgment"),
            Column(
                "complement", "VARCHAR", "text that the complement of the judgment must also contain, * for any text"
            ),
            Column("statut", "VARCHAR", "procedure that the company is in from then on; aucun when none opens"),
            Column("action", "VARCHAR", "kind of procedure that the judgment is about: one, toutes or aucune"),
            Column("stade", "VARCHAR", "stage of the procedure, in the words of URSSAF; aucun when none is reached"),
            Column("libelle", "VARCHAR", "name of the situation, as public officers know it"),
        ),
        key=("nature", "complement"),
    ),
)


_PACKAGED: Mapping[str, Sequence[Path]] = MappingProxyType({})


def csv_path(name: str) -> Path:
    """Return the packaged CSV file of the label table `name`.

    Raises:
        ValueError: no label table has this name.

    """
    if name not in {table.name for table in TABLES}:
        known = ", ".join(table.name for table in TABLES)
        raise ValueError(f"nomenclature: expected one of {known}; found {name!r}")
    return Path(str(files(__package__).joinpath(f"{name}.csv")))


def label_files(names: Iterable[str]) -> list[Path]:
    """Return the packaged files of some label tables."""
    return [csv_path(name) for name in names]


def departments_of_regions() -> dict[str, frozenset[str]]:
    """Return the packaged departments of each region, by its code."""
    with csv_path("labels_departement_region").open(encoding="utf-8", newline="") as file:
        rows = [(row["region"], row["departement"]) for row in csv.DictReader(file)]
    return {region: frozenset(place for other, place in rows if other == region) for region, _ in rows}


def load(connection: duckdb.DuckDBPyConnection, updates: Mapping[str, Sequence[Path]] = _PACKAGED) -> None:
    """Create one temporary table per label table, under its name and with its declared types.

    `updates` are validated files that replace the packaged ones, by table.
    """
    for table in TABLES:
        packaged = csv_path(table.name)
        if paths := updates.get(table.name):
            read_label_table(connection, table, paths, packaged)
            columns = ", ".join(f"cast({column.name} as {column.type}) as {column.name}" for column in table.columns)
            connection.execute(f"create or replace temp table {table.name} as select {columns} from delivered_codes")
        else:
            connection.execute(
                f"create or replace temp table {table.name} as from {read_csv(table)}", {"path": str(packaged)}
            )
