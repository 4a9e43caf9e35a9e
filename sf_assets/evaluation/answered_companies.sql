-- One row is one company of the last version published of a past list, with what officers answered about it on that list and
-- what became of it: NULL while the horizon has not passed. A company that was already in a procedure has no outcome, and
-- one that was contacted before the publication was contacted at once.
with published as (
    select
        month,
        arg_max(list_version, version) as version,
        min(published_at)::date as publiee_le
    from list_publication
    group by month
),

answered as (
    select
        siren,
        mois_liste,
        bool_or(contactee) as contactee,
        min(contactee_le) as contactee_le,
        list(distinct utilite) filter (utilite is not null) as avis
    from list_answers
    group by siren, mois_liste
)

select
    listed.month as mois_liste,
    listed.siren,
    listed.niveau,
    listed.probabilite,
    listed.departement,
    listed.libelle_region as region,
    listed.code_naf,
    listed.effectif,
    coalesce(answered.contactee, false) as contactee,
    -- `greatest` passes over NULL: without the condition, a company that nobody contacted would have been contacted at once.
    case
        when answered.contactee_le is not null
            then greatest(date_diff('day', published.publiee_le, answered.contactee_le), 0)
    end as delai,
    answered.avis,
    outcome.target and not outcome.en_procedure as defaillance
from list_alerts as listed
join published on listed.month = published.month and listed.version = published.version
left join answered on listed.siren = answered.siren and listed.month = answered.mois_liste
left join model_target as outcome
    on listed.siren = outcome.siren and listed.month = outcome.periode and not outcome.en_procedure
order by mois_liste, listed.siren
