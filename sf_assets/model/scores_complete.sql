-- One row is one count for the latest version of a month's scores: pairs of company and method that are missing from the scores
-- or from the feature matrix, and all pairs.
with latest as (
    select siren, methode from lake.model_scores where month = $month
    qualify version = max(version) over ()
),

companies as (
    select m.siren, methods.methode
    from lake.feat_matrix as m, (select distinct methode from latest) as methods
    where m.month = $month
)

select count(*) filter (c.siren is null or s.siren is null), count(*)
from companies as c full join latest as s using (siren, methode)
