-- One row is what one establishment owes for the periods that start on the same day, whatever their length: a quarter
-- is not spread over its months (rules §6.2). Unknown amounts are left out of the sum; alone, they leave it
-- unknown.
select
    siret,
    periode_debut as periode,
    -- Decimals add up to the same in any order, floating numbers do not.
    cast(sum(cast(du as decimal(30, 4))) as double) as du
from stg_cotisation
where left(siret, 9) not in (select siren from siren_blacklist)
group by siret, periode_debut
