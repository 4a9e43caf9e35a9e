-- One row is one company of the list, with its values of the last 24 months, oldest first: URSSAF debt, head-count and
-- score of the method that made the month's list. A value is NULL when it was not known, not computed or not checked.
with months as (
    select cast(month as date) as month
    from generate_series($month::date - interval 23 month, $month::date, interval 1 month) as s (month)
),

scores as (
    select model_scores.month, model_scores.siren, model_scores.probabilite
    from model_scores
    join model_fitted
        on
            model_scores.month = model_fitted.month
            and model_scores.methode = model_fitted.methode
            and model_scores.model_version = model_fitted.version
    where model_fitted.retained
    qualify model_scores.version = max(model_scores.version) over (partition by model_scores.month)
)

select
    listed.siren,
    {curves}
    list(scores.probabilite order by months.month) as risque
from list_alerts as listed
cross join months
left join feat_matrix on listed.siren = feat_matrix.siren and months.month = feat_matrix.month
left join scores on listed.siren = scores.siren and months.month = scores.month
where listed.version = $version
group by listed.siren
order by listed.siren
