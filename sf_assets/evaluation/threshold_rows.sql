-- One row is one company scored for a past published list whose horizon has passed, near its threshold of publication: how far
-- above the threshold its score was (in log odds, negative below), whether it was published, contacted, and failed. Companies
-- that were already in a procedure are left out.
with published as (
    select month, arg_max(list_version, version) as version
    from list_publication
    group by month
),

answered as (
    select siren, mois_liste, bool_or(contactee) as contactee
    from list_answers
    group by siren, mois_liste
),

scored as (
    select
        scores.month as mois_liste,
        scores.siren,
        ln(score.bounded / (1 - score.bounded)) - ln(threshold.bounded / (1 - threshold.bounded)) as distance,
        versions.version
    from published
    join list_versions as versions on published.month = versions.month and published.version = versions.version
    join model_scores as scores
        on
            versions.month = scores.month
            and versions.methode = scores.methode
            and versions.scores_version = scores.version
    cross join lateral (select least(greatest(scores.probabilite, 1e-6), 1 - 1e-6) as bounded) as score
    cross join lateral (select least(greatest(versions.seuil_modere, 1e-6), 1 - 1e-6) as bounded) as threshold
)

select
    scored.mois_liste,
    scored.siren,
    scored.distance,
    listed.siren is not null as publiee,
    coalesce(answered.contactee, false) as contactee,
    outcome.target as defaillance
from scored
join model_target as outcome
    on scored.siren = outcome.siren and scored.mois_liste = outcome.periode and not outcome.en_procedure
left join list_alerts as listed
    on scored.mois_liste = listed.month and scored.version = listed.version and scored.siren = listed.siren
left join answered on scored.siren = answered.siren and scored.mois_liste = answered.mois_liste
where abs(scored.distance) < $farthest
order by scored.mois_liste, scored.siren
