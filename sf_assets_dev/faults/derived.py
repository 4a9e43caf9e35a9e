"""Faults of computed tables: models, scores and lists that must not be handed over."""

from sf_assets_dev.faults.description import TableFault

_FIRST_LISTED = "(select min(siren) from batch)"


def _listed(name: str, description: str, other: str) -> TableFault:
    """Return the fault of a list whose first company is replaced by the siren that the query `other` returns."""
    query = f"select * replace (if(siren = {_FIRST_LISTED}, ({other}), siren) as siren) from batch"
    return TableFault(name, description, "list_alerts", query, "nobody_excluded")


FAULTS = (
    TableFault(
        "few_failures",
        "a model trained on three failures",
        "model_fitted",
        "select * replace (3 as training_failures, coalesce(training_to, date '2020-01-01') as training_to) from batch",
        "enough_failures",
    ),
    TableFault(
        "scores_constant",
        "the same score for everybody",
        "model_scores",
        "select * replace (0.1 as probabilite) from batch",
        "not_constant",
    ),
    TableFault(
        "list_doubled",
        "a list twice as long as last month's",
        "list_alerts",
        """
        with others as (
            select siren, row_number() over (order by siren) as place from lake.feat_company_month
            where month = $month and procedure_connue is null and siren not in (select siren from batch)
        )
        select * from batch
        union all
        select batch.* exclude (place) replace (
            others.siren as siren, batch.rang + (select max(rang) from batch) as rang
        )
        from (select *, row_number() over (order by rang) as place from batch) as batch join others using (place)
        """,
        "not_doubled",
    ),
    _listed(
        "listed_in_procedure",
        "a company in a procedure on the list",
        "select min(siren) from lake.feat_company_month where month = $month and procedure_connue is not null",
    ),
    _listed("listed_out_of_perimeter", "a company outside the perimeter on the list", "select '999999999'"),
    _listed(
        "listed_though_excluded",
        "a company of an excluded category on the list",
        "select min(siren) from lake.siren_blacklist where month = $month",
    ),
    TableFault(
        "explanations_astray",
        "explanations that do not add up to the score",
        "list_alerts",
        "select * replace (ecart_explications + 0.02 as ecart_explications) from batch",
        "explanations_add_up",
    ),
)
