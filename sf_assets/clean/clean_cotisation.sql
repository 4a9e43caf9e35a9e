-- One row is the amount that one establishment owes for the periods that start on the same day, whatever their length:
-- a quarter is not spread over its months (rules §6.2). Unknown amounts are left out of the sum; a sum of unknown
-- amounts only is unknown.
select
    siret,
    periode_debut as periode,
    -- A sum of decimals does not depend on the order of rows; a sum of floating numbers does.
    cast(sum(cast(du as decimal(30, 4))) as double) as du
from stg_cotisation
where left(siret, 9) not in (select siren from siren_blacklist)
group by siret, periode_debut
