"""One folder for each recipient of a published list: only its companies, only the columns and reasons of its scopes."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.inputs import AssetMonth
from sf_assets.lists import contact, known_answers
from sf_assets.lists.answers import ADVICE
from sf_assets.lists.columns import HEADERS
from sf_assets.lists.export import stem_of, with_date
from sf_assets.lists.month_list import MonthList
from sf_assets.lists.reasons import main_reasons, reason_columns
from sf_assets.lists.spreadsheet import write_csv
from sf_assets.lists.tables import ALERTS
from sf_assets.lists.workbook import write_xlsx
from sf_assets.publication.pages import page_of
from sf_assets.publication.rights import Right, rights_of
from sf_assets.publication.tables import PUBLICATION
from sf_assets.sources.nomenclatures.label_tables import departments_of_regions
from sf_assets.staging.in_force import reads_at
from sf_assets.vocabulary.scopes import SCOPES, SCORE

READS = ("stg_acces", *contact.READS, *known_answers.READS)
FOLDER = "destinataires"
LEFT = "Sortie de la liste"
_RIGHTS = "select * from stg_acces order by destinataire"
_PLACES = """
    select siren, list(distinct departement) as departements from clean_sirene
    where (est_actif or siege) and departement is not null and siren in (select unnest($sirens)) group by siren
"""
_PUBLISHED = """
    select siren, min(month) as premiere_alerte from list_alerts as a
    where exists (from list_publication as p where p.month = a.month and p.list_version = a.version) group by siren
"""


@dataclass(frozen=True, slots=True)
class World:
    """What the companies of a list have in common for all recipients.

    `rows` has one row per company that somebody may see, with the columns of the list but no reason: those in alert by rank,
    then the others. `departments` are those of the establishments of each, and `in_alert` the companies in alert on this
    list or on one published before. `reasons` returns `siren` and the reasons made of some features.
    """

    rows: pl.DataFrame
    departments: Mapping[str, Collection[str]]
    in_alert: Collection[str]
    features: Sequence[str]
    reasons: Callable[[Collection[str]], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Share:
    """What one recipient receives: rows with the columns that it may read; whether some reasons were left out."""

    right: Right
    rows: pl.DataFrame
    hides_reasons: bool


def share_of(right: Right, world: World) -> Share:
    """Return the part of a list that a right covers."""
    seen = [
        siren
        for siren in world.rows["siren"]
        if right.sees(siren, world.departments.get(siren, ()), ever_in_alert=siren in world.in_alert)
    ]
    rows = world.rows.filter(pl.col("siren").is_in(seen))
    whole, stated = (
        rows.select("siren").join(world.reasons(names), on="siren", how="left", maintain_order="left")
        for names in (frozenset(world.features), right.features(world.features))
    )
    rows = rows.join(stated, on="siren", how="left", maintain_order="left")
    rows = rows.select(header.column for header in HEADERS if right.may_read(header) and header.column in rows.columns)
    # Ranks, and the order of the list, are part of the score.
    return Share(right, rows if SCORE in right.scopes else rows.sort("siren"), not whole.equals(stated))


def write_shares(session: Session, gate: Gate, made: MonthList, folder: Path) -> tuple[dict[str, object], ...]:
    """Write the folder of each recipient whose right is in force at the cut-off; return one entry per recipient.

    The session reads the snapshot of the publication. A recipient whose right lapsed has an entry that says why, no folder.
    """
    reads, _ = reads_at(gate, session, READS, made.month)
    session.bind(dict(reads))
    rights = rights_of(session.connection.execute(_RIGHTS).pl().iter_rows(named=True), departments_of_regions())
    world = _world(session, made, frozenset[str]().union(*(right.follows for right in rights)))
    entries: list[dict[str, object]] = []
    for right in rights:
        lapsed = right.lapsed(made.about.cutoff)
        entry: dict[str, object] = {"recipient": right.recipient, "scopes": sorted(right.scopes), "zones": right.zones}
        if lapsed:
            entries.append(entry | {"companies": 0, "lapsed": lapsed})
            continue
        share = share_of(right, world)
        target = folder / FOLDER / right.recipient
        target.mkdir(mode=0o700, parents=True)
        stem = stem_of(made.month)
        write_csv(share.rows, target / f"{stem}.csv")
        about = replace(
            made.about, sections=(*made.about.sections, ("Ce que montre ce fichier", "\n".join(_scope_lines(share))))
        )
        answering = replace(about, sections=(*about.sections, ("Répondre", ADVICE)))
        write_xlsx(share.rows, target / f"{stem}.xlsx", answering, recipient=right.recipient)
        text = page_of(right, share.rows, made.sheets, made.companies, about, hides_reasons=share.hides_reasons)
        (target / f"{stem}.html").write_text(text, encoding="utf-8", newline="\n")
        entries.append(entry | {"companies": share.rows.height, "lapsed": ""})
    return tuple(entries)


def share_reads(session: Session, gate: Gate, month: date) -> list[AssetMonth]:
    """Return the assets and months that the folders of recipients are made from, whose checks must have passed."""
    return reads_at(gate, session, READS, month)[1]


def _world(session: Session, made: MonthList, followed: Collection[str]) -> World:
    session.bind({ALERTS: None, PUBLICATION: None})
    before = session.connection.execute(_PUBLISHED).pl()
    in_alert = {*before["siren"], *made.listed["siren"]}
    others = made.companies.filter(
        pl.col("siren").is_in([*in_alert, *followed]) & ~pl.col("siren").is_in(made.listed["siren"].to_list())
    ).sort("siren")
    left = pl.when(pl.col("premiere_alerte").is_not_null()).then(pl.lit(LEFT))
    others = known_answers.with_known_answers(session, contact.with_contact(session, others)).join(
        before, on="siren", how="left", maintain_order="left"
    )
    others = with_date(others.with_columns(evolution=left), made.about)
    listed = with_date(made.listed, made.about)
    named = [header.column for header in HEADERS if header.column not in reason_columns()]
    columns = [name for name in named if name in listed.columns]
    rows = pl.concat(
        [
            listed.select(columns),
            others.select(name for name in columns if name in others.columns),
        ],
        how="diagonal_relaxed",
    )
    shown = made.companies.filter(pl.col("siren").is_in(rows["siren"].to_list()))
    method = made.selected.method
    contributions = method.contributions(shown)

    def reasons(allowed: Collection[str]) -> pl.DataFrame:
        return main_reasons(
            shown, contributions, method.features_, cutoff=made.about.cutoff, typical=method.typical_, allowed=allowed
        )

    places = session.connection.execute(_PLACES, {"sirens": rows["siren"].to_list()}).fetchall()
    return World(rows, {siren: frozenset(found) for siren, found in places}, in_alert, method.features_, reasons)


def _scope_lines(share: Share) -> Iterator[str]:
    right = share.right
    yield f"Ce fichier est réservé à {right.recipient} ({right.role}). Ne le transmettez pas."
    yield f"Territoire : {'France entière' if right.national else right.zones}."
    yield f"Droits : {', '.join(SCOPES[scope] for scope in SCOPES if scope in right.scopes)}."
    yield (
        "Il contient les entreprises qui ont un établissement dans ce territoire et qui sont en alerte ce mois-ci, ou l'ont été "
        "sur une liste publiée, ainsi que celles que vous suivez."
    )
    if SCORE not in right.scopes:
        yield "Vos droits ne couvrent pas la détection : le risque, le niveau d'alerte et le rang n'y figurent pas."
    if share.hides_reasons:
        yield (
            "Certains motifs ne sont pas affichés, parce qu'ils reposent sur des données que vos droits ne couvrent pas. Quand "
            "il existe, le motif suivant les remplace."
        )
