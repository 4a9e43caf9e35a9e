"""The open bulletin of collective procedures: `bodacc_procedures.csv`."""

import numpy as np
import polars as pl

from sf_assets_dev.synthetic.places import PLACES
from sf_assets_dev.synthetic.procedures import LIQUIDATION, SAUVEGARDE
from sf_assets_dev.synthetic.procol import steps_of
from sf_assets_dev.synthetic.timeline import Ints, Window, dates
from sf_assets_dev.synthetic.world import Block

# Nature announced by the courts, by URSSAF's label of the same event; other labels are not judgments.
_NATURES = {
    "ouverture_liquidation": "Jugement d'ouverture de liquidation judiciaire",
    "ouverture_redressement": "Jugement d'ouverture d'une procédure de redressement judiciaire",
    "ouverture_sauvegarde": "Jugement d'ouverture d'une procédure de sauvegarde",
    "plan_continuation_redressement": "Jugement arrêtant le plan de redressement",
    "plan_continuation_sauvegarde": "Jugement arrêtant le plan de sauvegarde",
    "fin_procedure_redressement": "Jugement mettant fin à la procédure de redressement judiciaire",
    "fin_procedure_sauvegarde": "Jugement de clôture de la procédure de sauvegarde",
    "cloture_insuffisance_actif_liquidation": "Jugement de clôture pour insuffisance d'actif",
}
_CONVERSIONS = {
    "ouverture_liquidation": "Jugement de conversion en liquidation judiciaire",
    "ouverture_redressement": "Jugement de conversion en redressement judiciaire de la procédure de sauvegarde",
}
_PUBLISHED = 0.92
_RECTIFIED = 0.03
_CANCELLED = 0.01
_SPOILT = 0.03
_UNREADABLE = 0.003
_NUMBERS_PER_BLOCK = 30_000


def bodacc_frame(block: Block, window: Window) -> pl.DataFrame:
    """Return the rows of `bodacc_procedures.csv`: announcements of most judgments, four to thirty days after them.

    A few announcements have a wrong date, corrected about two weeks later; a few name the wrong company and are cancelled. Some
    natures have garbled accents, a few of them beyond repair.
    """
    first = _judgments(block)
    rng = block.generator("bodacc")
    chance = rng.random((3, first.height))
    delay, wait, error = rng.integers((4, 10, 30), (31, 20, 300), (first.height, 3)).T
    day = first["judged"].to_numpy() + delay
    rectified, cancelled = chance[1] < _RECTIFIED, chance[1] > 1 - _CANCELLED
    spoilt = np.where(chance[2] < _UNREADABLE, 2, np.where(chance[2] < _SPOILT, 1, 0))
    total = len(block.companies)
    number = block.number * _NUMBERS_PER_BLOCK + 3 * np.arange(first.height)
    initial = first.with_columns(
        pl.Series("day", day),
        pl.Series("number", number),
        pl.Series("judged", first["judged"].to_numpy() + np.where(rectified, error, 0)),
        pl.Series("spoilt", spoilt),
        typeavis=pl.lit("annonce"),
        before=pl.lit(None, pl.Int64),
    )
    right = first.with_columns(
        pl.Series("day", day + wait), pl.Series("number", number + 1), spoilt=pl.lit(0, pl.Int64),
        typeavis=pl.lit("rectificatif"), before=pl.Series(day),
    ).filter(pl.Series(rectified))  # fmt: skip
    wrong = initial.with_columns((pl.col("company") + 1) % total, pl.col("number") + 1).filter(pl.Series(cancelled))
    cancel = wrong.with_columns(
        pl.col("day") + pl.Series(wait).filter(pl.Series(cancelled)), pl.col("number") + 1,
        typeavis=pl.lit("annulation"), before=pl.col("day"),
    )  # fmt: skip
    published = pl.Series(chance[0] < _PUBLISHED)
    rows = pl.concat([initial.filter(published), right.filter(published.filter(pl.Series(rectified))), wrong, cancel])
    shown = rows.filter(pl.col("day") <= window.delivered).sort("day", "number")
    return _as_published(block, shown)


def _judgments(block: Block) -> pl.DataFrame:
    """Return one row per judgment: position of the company, day, nature."""
    parts = []
    for one in (block.world.first, block.world.second):
        company, judged, label, _ = steps_of(one)
        columns = {"company": company, "judged": judged, "label": label, "kind": one.kind[company]}
        # In a few blocks of the country no company fails twice: without a type, a column without rows is of type Null.
        found = pl.DataFrame(columns, schema_overrides={"label": pl.String})
        liquidated, converted = pl.col("label") == "ouverture_liquidation", pl.col("label") == "ouverture_redressement"
        converts = (liquidated & (pl.col("kind") != LIQUIDATION)) | (converted & (pl.col("kind") == SAUVEGARDE))
        nature = pl.col("label").replace_strict(_NATURES, default=None, return_dtype=pl.String)
        conversion = pl.col("label").replace_strict(_CONVERSIONS, default=None, return_dtype=pl.String)
        parts.append(found.select("company", "judged", nature=pl.when(converts).then(conversion).otherwise(nature)))
    return pl.concat(parts).drop_nulls("nature")


def _as_published(block: Block, rows: pl.DataFrame) -> pl.DataFrame:
    siren = block.companies.siren.gather(rows["company"])
    departement = pl.Series(PLACES.departement).gather(block.companies.place[rows["company"].to_numpy()])
    day, issue = dates(rows["day"].to_numpy()), _issues(rows["day"].to_numpy())
    before = rows["before"].fill_null(0).to_numpy()
    number = rows["number"]
    correction = pl.struct(
        nomPublication=pl.lit("BODACC A"),
        numeroParution=_issues(before),
        dateParution=dates(before).cast(pl.String),
        numeroAnnonce=(number - 1).cast(pl.String),
    ).struct.json_encode()
    judgment = pl.struct(
        type=pl.lit("initial"),
        famille=pl.lit("Extrait de jugement"),
        nature=_spoilt(rows["nature"], rows["spoilt"]),
        date=dates(rows["judged"].to_numpy()).cast(pl.String),
    ).struct.json_encode()
    names = {"annonce": "Avis initial", "rectificatif": "Avis rectificatif", "annulation": "Avis d'annulation"}
    return rows.select(
        id="A" + issue + number.cast(pl.String),
        publicationavis=pl.lit("A"),
        parution=issue,
        dateparution=day,
        numeroannonce=number,
        typeavis=pl.col("typeavis"),
        typeavis_lib=pl.col("typeavis").replace_strict(names, return_dtype=pl.String),
        familleavis=pl.lit("collective"),
        familleavis_lib=pl.lit("Procédures collectives"),
        numerodepartement=departement,
        tribunal="Greffe du Tribunal de Commerce (" + departement + ")",
        registre=siren + "," + siren.str.slice(0, 3) + " " + siren.str.slice(3, 3) + " " + siren.str.slice(6, 3),
        jugement=judgment,
        parutionavisprecedent=pl.when(pl.col("before").is_not_null()).then(correction),
    )


def _issues(days: Ints) -> pl.Series:
    """Return the numbers of the issues of some days: the year, then the day of the year on four digits."""
    day = dates(days)
    return day.dt.year().cast(pl.String) + day.dt.ordinal_day().cast(pl.String).str.zfill(4)


def _spoilt(natures: pl.Series, how: pl.Series) -> pl.Series:
    """Return natures as read in another encoding where `how` is 1, with letters lost where it is 2."""
    known = sorted({*_NATURES.values(), *_CONVERSIONS.values()})
    forms = [known, [nature.encode().decode("latin-1") for nature in known], [n.replace("é", "�") for n in known]]
    place = natures.replace_strict(known, range(len(known)), return_dtype=pl.Int64) + how * len(known)
    return pl.Series([nature for form in forms for nature in form]).gather(place)
