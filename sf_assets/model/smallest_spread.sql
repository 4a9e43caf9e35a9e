-- The smallest standard deviation of a method's latest scores.
select min(spread) from (
    select stddev_pop(probabilite) as spread, count(*) as n from {batch}
    where version = (select max(version) from {batch}) group by methode
) as spreads where n >= 100
