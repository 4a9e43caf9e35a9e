-- One row is one source and month: delivered, refused or missing.
select source, month, if(bool_or(fault is not null), 'refused', 'delivered') from lake.src_arrivals group by all
union all
select asset[5:], month, 'missing' from lake.check_verdicts
where check_name = 'delivered' and starts_with(asset, 'src_') and not passed
