"""What help changes: companies just above the threshold of publication against those just below, and contacted against not.

The first comparison is as good as a random draw if nothing else changes at the threshold; the checks beside it (density,
false thresholds, other bandwidths) can contradict that, never prove it. It says nothing of companies far from the threshold.
The second compares companies of the same list and similar risk; officers choose whom they contact for reasons that no file
knows, so that its difference also holds these reasons: it proves no effect.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from sf_assets.engine.storage import frame_of
from sf_assets.evaluation.discontinuity import (
    FEWEST_ROWS,
    Estimate,
    best_bandwidth,
    clustered,
    density_jump,
    effect,
    jump,
)
from sf_assets.evaluation.tables import EFFECT
from sf_assets.vocabulary.intervals import NORMAL

THRESHOLD, CONTACT = "seuil", "contact"
# Scores further from the threshold than this, in log odds, are not compared.
FARTHEST = 3.0
_FIFTHS = 5
_NOTHING = "no published list whose outcome is known"


def effect_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `eval_effect` of the companies of past lists, as `threshold_rows.sql` returns them."""
    if rows.is_empty():
        return frame_of(EFFECT, (_row(THRESHOLD, "effet_publication", Estimate(None, reason=_NOTHING)),))
    estimates = (*_at_the_threshold(rows), (CONTACT, "difference", _contacted_or_not(rows.filter("publiee"))))
    return frame_of(EFFECT, (_row(*one) for one in estimates))


def _at_the_threshold(rows: pl.DataFrame) -> Iterator[tuple[str, str, Estimate]]:
    distance = rows["distance"].to_numpy()
    failed, contacted, published = (
        rows[name].cast(pl.Float64).to_numpy() for name in ("defaillance", "contactee", "publiee")
    )
    company = rows["siren"].rank("dense").to_numpy()
    above = distance >= 0
    if min(above.sum(), (~above).sum()) < FEWEST_ROWS:
        reason = f"fewer than {FEWEST_ROWS} rows on a side"
        yield THRESHOLD, "effet_publication", Estimate(None, rows=rows.height, reason=reason)
        return
    width = best_bandwidth(distance, failed)
    yield THRESHOLD, "effet_publication", jump(distance, failed, company, width)
    yield THRESHOLD, "effet_publication_demi_largeur", jump(distance, failed, company, width / 2)
    yield THRESHOLD, "effet_publication_double_largeur", jump(distance, failed, company, 2 * width)
    yield THRESHOLD, "saut_publication", jump(distance, published, company, width)
    yield THRESHOLD, "saut_contact", jump(distance, contacted, company, width)
    yield THRESHOLD, "effet_contact", effect(distance, failed, contacted, company, width)
    yield THRESHOLD, "saut_densite", density_jump(distance, company)
    # A false threshold in the middle of each side: nothing happens there.
    for name, side in (("temoin_dessous", ~above), ("temoin_dessus", above)):
        at = float(np.median(distance[side]))
        yield THRESHOLD, name, jump(distance[side], failed[side], company[side], min(width, abs(at)), at=at)


def _contacted_or_not(listed: pl.DataFrame) -> Estimate:
    """Return how much more often contacted companies failed than others of the same list and fifth of scores."""
    place = ["mois_liste", "fifth"]
    rows = listed.with_columns(
        pl.col("defaillance").cast(pl.Float64),
        fifth=(
            pl.col("distance").rank("ordinal").over("mois_liste") * _FIFTHS / (pl.len().over("mois_liste") + 1)
        ).floor(),
    ).with_columns(
        contacted=pl.col("contactee").sum().over(place),
        others=(~pl.col("contactee")).sum().over(place),
        mean=pl.col("defaillance").mean().over([*place, "contactee"]),
    )
    rows = rows.filter(pl.col("contacted") > 0, pl.col("others") > 0)
    treated = int(rows["contactee"].sum())
    if min(treated, rows.height - treated) < FEWEST_ROWS:
        return Estimate(
            None, rows=rows.height, reason=f"fewer than {FEWEST_ROWS} comparable companies, contacted or not"
        )
    share = pl.when("contactee").then(1 / treated).otherwise(-1 / treated * pl.col("contacted") / pl.col("others"))
    weighted = rows.select(
        value=share * pl.col("defaillance"), influence=share * (pl.col("defaillance") - pl.col("mean"))
    )
    value = float(weighted["value"].sum())
    error = clustered(weighted["influence"].to_numpy(), rows["siren"].rank("dense").to_numpy())
    return Estimate(value, value - NORMAL * error, value + NORMAL * error, rows.height)


def _row(analysis: str, name: str, one: Estimate) -> dict[str, object]:
    return {
        "comparaison": analysis,
        "mesure": name,
        "largeur": one.bandwidth,
        "lignes": one.rows,
        "valeur": one.value,
        "bas": one.low,
        "haut": one.high,
        "raison": one.reason,
    }
