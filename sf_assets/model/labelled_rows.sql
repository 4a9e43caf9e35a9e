-- One row is one company and month whose target is known: its features, whether it failed, whether it was in a procedure at the
-- cut-off, and its weight. All failures are read and one in `one_in` of the other rows, whose weight makes up for those left out.
-- The first and last month are bounds that files are skipped by; a list of months is compared row by row, in all files.
select
    m.*,  -- noqa: AM04
    t.target,
    t.en_procedure,
    case when t.target then 1.0 else $one_in::double end as weight
from (select * rename (month as periode) from feat_matrix) as m
join model_target as t using (siren, periode)
where
    m.periode between $first and $last
    and t.periode between $first and $last
    and m.periode in (select unnest($months))
    and (t.target or in_sample(m.siren, m.periode, $one_in))
order by m.periode, m.siren
