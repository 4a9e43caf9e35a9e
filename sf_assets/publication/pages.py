"""The page of one recipient: its companies, and of each one's sheet only what its right covers."""

import polars as pl

from sf_assets.features.registry import FEATURES_OF, THEMES
from sf_assets.lists.page.content import CURVES, Sheets, rows_of, section_names
from sf_assets.lists.page.help import HELPS
from sf_assets.lists.page.render import page
from sf_assets.lists.readme import About
from sf_assets.lists.reasons import reason_columns
from sf_assets.publication.rights import Right
from sf_assets.vocabulary.modes import FULL, Mode
from sf_assets.vocabulary.scopes import SCORE

_EVERY_HELP = list(range(len(HELPS)))


def page_of(
    right: Right, rows: pl.DataFrame, whole: Sheets, companies: pl.DataFrame, about: About, *, hides_reasons: bool
) -> str:
    """Return the page of the rows of a share.

    `rows` are those of the share, with the columns and reasons that the right covers; `whole` is what the page of the whole
    list shows, and `companies` has the section of each company's activity.
    """
    themes = themes_of(right, about.mode)
    curves = [
        name
        for name, made_of in CURVES.items()
        if name in whole.sheets.columns and right.features(made_of).issuperset(made_of)
    ]
    scored = SCORE in right.scopes
    complete = scored and len(themes) == len(THEMES)
    kept = whole.sheets.select(
        "siren",
        *curves,
        *(["risque"] if scored else []),
        *(["themes"] if complete else []),
        pl.col("inconnus").list.set_intersection(pl.lit(themes, dtype=pl.List(pl.Int32))),
        # Which help is worth proposing follows from the themes of a company's risk.
        pl.col("aides") if complete else pl.lit(_EVERY_HELP).alias("aides"),
    )
    motifs = rows.select("siren", motifs=pl.concat_list(reason_columns()).list.drop_nulls())
    sheets = motifs.join(kept, on="siren", how="left", maintain_order="left").with_columns(
        pl.col("inconnus").fill_null([]), pl.col("aides").fill_null(_EVERY_HELP)
    )
    content = Sheets(rows_of(rows, companies, section_names()), sheets, hides_reasons)
    return page(content, about, recipient=right.recipient)


def themes_of(right: Right, mode: Mode = FULL) -> list[int]:
    """Return the positions in `THEMES` of those of which a right covers every feature of a mode."""
    return [
        position
        for position, theme in enumerate(THEMES)
        if all(right.may_state(feature) for feature in FEATURES_OF[mode] if feature.theme == theme)
    ]
