"""The population guard: how many companies are followed, and why others are not, beside the months before.

A register that can no longer be read leaves companies out one by one, each for a good reason: only their number tells. What
blocks gives the counts by reason.
"""

from sf_assets.engine.quality.measures import Margin, Tolerance

_MONTHLY = "effectif cotisation debit delai procol apconso apdemande"
_ACCOUNTS = "declarations_indmap declarations_af ratios_dirco ratios_inpi_bce"

_OUTSIDE, _COPIES = "coalesce(outside, 0)", "coalesce(copies, 0)"
_NOT_OURS = f"filtered - {_OUTSIDE} - {_COPIES}"
_REASONS = f"""
    select
        unnest(['outside the perimeter', 'copies', 'none of ours']),
        unnest([sum({_OUTSIDE}), sum({_COPIES}), sum({_NOT_OURS})])
    from lake.stg_import where month = {{month}} and source = '{{source}}'
"""

_MOTIFS = """
    select
        unnest(['motif_siege', 'motif_activite', 'motif_categorie_juridique']),
        unnest([count_if(motif_siege), count_if(motif_activite), count_if(motif_categorie_juridique)])
    from lake.siren_blacklist where month = {month}
"""


def _filtered(reason: str) -> str:
    """Return the query of the share of records filtered for a reason; a month with a perimeter of its own says nothing.

    `reason` is a sum of columns of `stg_import`.
    """
    return f"""
        select case when sum(records) >= 50 then sum({reason}) / sum(records) end
        from lake.stg_import
        where
            month = {{month}} and source = '{{source}}'
            and not exists (select 1 from lake.stg_import where month = {{month}} and source = 'filter' and accepted > 0)
    """


TOLERANCES = (
    *(
        Tolerance(
            name,
            tuple(f"stg_{source}" for source in sources.split()),
            f"share of records filtered as {what}",
            _filtered(reason),
            why,
            advice,
            change=Margin(0.05, 0.05),
            level=Margin(0.1, 0.1),
            relative=False,
            detail=_REASONS,
        )
        for name, sources, what, reason, why, advice in (
            (
                "outside_like_before",
                f"sirene_histo effectif_ent {_MONTHLY} bodacc paydex {_ACCOUNTS}",
                "outside the perimeter",
                _OUTSIDE,
                "files and the perimeter are of the same companies every month: both move by less than one in a hundred",
                "Look at stg_filter_steps, then whether the identifiers of the file still have their zeros.",
            ),
            (
                "copies_like_before",
                "apconso apdemande ratios_inpi_bce bodacc",
                "exact copies",
                _COPIES,
                "a producer repeats a few records; many more are a file that holds two deliveries",
                "Ask the producer whether the file holds one extraction.",
            ),
            (
                "not_ours_like_before",
                "sirene sirene_ul sirene_histo paydex bodacc",
                "none of ours",
                _NOT_OURS,
                "what a rule leaves out is a steady share of a stock: a nomenclature that changed its name left out a country",
                "Look at the records that the rule of the source (sources.md) leaves out: which of its columns changed?",
            ),
        )
    ),
    Tolerance(
        "followed_like_before",
        ("clean_filter",),
        "number of companies followed",
        "select count(*) from {batch}",
        "companies enter and leave at less than one in a hundred a month",
        "Compare siren_blacklist with last month's, by reason, then stg_filter_import.",
        change=Margin(0.1, 0.1),
        level=Margin(0.25, 0.25),
        least=20,
        detail=_MOTIFS,
    ),
    *(
        Tolerance(
            f"{motif}_like_before",
            ("siren_blacklist",),
            f"number of companies of the perimeter left out for {what}",
            f"select count_if({motif}) from {{batch}}",
            "categories, activities and seats change for a few companies in a thousand a month",
            "Look at the codes and seats of stg_sirene_ul and stg_sirene: which of them can no longer be read?",
            change=Margin(0.25, 0.25),
            level=Margin(0.5, 0.5),
            least=10,
            detail=_MOTIFS,
        )
        for motif, what in (
            ("motif_categorie_juridique", "their legal category"),
            ("motif_activite", "their activity"),
            ("motif_siege", "want of a seat in a French department"),
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
        "administrations, finance and companies without a seat are a minority: leaving out most of the head-count file is a "
        "register that cannot be read, also in a first month, which nothing can be compared with",
        "Look at the codes and seats of stg_sirene_ul and stg_sirene: which of them can no longer be read?",
        high=0.5,
        detail=_MOTIFS,
    ),
    Tolerance(
        "companies_like_before",
        ("feat_company_month",),
        "number of companies followed at the cut-off",
        "select count(*) from {batch}",
        "companies open and close at about one in a hundred a month",
        "Compare clean_filter, then the head-counts and the states of seats, with last month's.",
        change=Margin(0.1, 0.1),
        level=Margin(0.25, 0.25),
        least=20,
    ),
)
