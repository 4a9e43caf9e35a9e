-- One row is one company of the month with its features and its score by the selected method.
select
    c.* exclude (age_entreprise),  -- noqa: AM04
    s.probabilite,
    f.siren is not null as dans_perimetre,
    m.* exclude (siren)
from feat_company_month as c
join feat_matrix as m using (siren)  -- noqa: AL05
join model_scores as s using (siren)
join model_fitted as r on s.methode = r.methode and s.model_version = r.version and r.retained
left join clean_filter as f on c.siren = f.siren
where s.version = (select max(version) from model_scores)
order by c.siren
