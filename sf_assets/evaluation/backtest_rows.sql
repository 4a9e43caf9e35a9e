-- One row is one company and month that the backtest scored: whether and when it failed (`date_defaillance` is the first day of
-- the procedure that makes the row fail), and the groups it belongs to. On open data, the least of the staff band is its size.
with scored as (
    select siren, periode, origine from eval_backtest
    where entreprises = 'toutes' and methode = (select min(methode) from eval_backtest)
),

labelled as (
    select s.*, t.target, t.en_procedure, last_day(s.periode) + $shift as cutoff
    from scored as s join model_target as t using (siren, periode)
),

openings as (select siren, date_debut from clean_procedure_episode where libelle_procol is not null)

select
    l.siren,
    l.periode,
    l.origine,
    l.target,
    l.en_procedure,
    case when l.target then o.date_debut end as date_defaillance,
    c.naf_section as section,
    c.libelle_region as region,
    m.{size} as effectif,
    m.age_entreprise
from labelled as l
asof left join openings as o on l.siren = o.siren and l.cutoff < o.date_debut
join feat_company_month as c on l.siren = c.siren and l.periode = c.month
join feat_matrix as m on l.siren = m.siren and l.periode = m.month
order by l.periode, l.siren
