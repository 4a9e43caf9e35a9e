-- One row is one company in one month that the models learned from, with its features: a sample of one row in `one_in`.
select * exclude (month) from feat_matrix  -- noqa: AM04
where month in (select unnest($months)) and in_sample(siren, month, $one_in)
order by month, siren
