"""Tolerances of the clean tables: how many companies are followed and why others are not, beside the months before.

A register that can no longer be read leaves companies out one by one, each for a valid reason: only their number shows the
fault. A message that blocks gives the counts by reason.
"""

from sf_assets.engine.quality.measures import Margin, Tolerance
from sf_assets.engine.sql import read_sql
from sf_assets.staging.measures import UNKNOWN_TO_REGISTER, departments_there

_REASONS = read_sql("sf_assets.clean", "excluded_by_reason")
_READ_THE_REGISTER = (
    "Look at the codes and head offices of stg_sirene_ul and stg_sirene: which of them can no longer be read?"
)

TOLERANCES = (
    Tolerance(
        "followed_like_before",
        ("clean_filter",),
        "number of companies followed",
        "select count(*) from {batch}",
        "fewer than one company in a hundred enters or leaves in a month",
        "Compare siren_blacklist with last month's, by reason, then stg_filter_import.",
        change=Margin(0.1, 0.1),
        level=Margin(0.25, 0.25),
        min_difference=20,
        detail=_REASONS,
    ),
    *(
        Tolerance(
            f"{motif}_like_before",
            ("siren_blacklist",),
            f"number of companies of the perimeter left out for {what}",
            f"select count_if({motif}) from {{batch}}",
            "categories, activities and head offices change for a few companies in a thousand a month",
            _READ_THE_REGISTER,
            change=Margin(0.25, 0.25),
            level=Margin(0.5, 0.5),
            min_difference=10,
            detail=_REASONS,
        )
        for motif, what in (
            ("motif_categorie_juridique", "their legal category"),
            ("motif_activite", "their activity"),
            ("motif_siege", "lack of a head office in a French department"),
        )
    ),
    Tolerance(
        "few_left_out",
        ("siren_blacklist",),
        "share of the perimeter left out",
        """
            select case when count(*) >= 20 then count(b.siren) / count(*) end
            from lake.stg_filter_import as f left join (select siren from {batch}) as b using (siren)
            where f.month = {month}
        """,
        "administrations, finance and companies without a head office are a minority: a register that leaves out most of the "
        "head-count file cannot be read. This bound also holds in a first month, which has no earlier one to compare with",
        _READ_THE_REGISTER,
        high=0.5,
        detail=_REASONS,
    ),
    *(
        departments_there(asset, key, only)
        for asset, key, only in (
            ("clean_cotisation", "siret", ""),
            ("clean_effectif", "siret", ""),
            ("clean_effectif_ent", "siren", "and siege"),
        )
    ),
    Tolerance(
        "known_to_the_register",
        ("clean_effectif", "clean_cotisation", "clean_debit", "clean_delai", "clean_ap"),
        "share of establishments that Sirene does not know",
        UNKNOWN_TO_REGISTER,
        "the register of the month holds nearly every employer; a larger share means other identifiers, or a truncated "
        "register",
        "Compare the identifiers with those of the Sirene file of the month: which of the two files lost some?",
        high=0.2,
        change=Margin(None, 0.03),
        level=Margin(None, 0.05),
        relative=False,
    ),
)
