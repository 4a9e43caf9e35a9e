-- One row is the payment behaviour of one company in one month: the latest measure of the month, and of those of one
-- day the last in the file (sources.md §9.2, decision B15). A value this measure lacks is unknown, even when an earlier
-- one had it.
select
    siren,
    cast(date_trunc('month', date_valeur) as date) as periode,
    date_valeur,
    paydex,
    -- `least` and `greatest` pass over NULL: without the guard an unknown note becomes a bound.
    case when fpi_30 is not null then least(greatest(fpi_30, 0), 100) / 100 end as fpi_30,
    case when fpi_90 is not null then least(greatest(fpi_90, 0), 100) / 100 end as fpi_90,
    encours_etudies,
    n_fournisseurs
from stg_paydex
where siren not in (select siren from siren_blacklist)
qualify row_number() over (
    partition by siren, date_trunc('month', date_valeur)
    order by date_valeur desc, line desc
) = 1
