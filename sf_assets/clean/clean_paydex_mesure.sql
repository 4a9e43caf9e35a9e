-- One row is the payment behaviour of one company as measured on one day; of several measures of a day, the last in
-- file order (rules §9.2, deviation B15). Where only the paydex code is known, the provider's table converts it to days:
-- 180 − 3 × code up to 050, then a list, unknown from 080 on.
with measures as (
    select *, case when regexp_full_match(code_paydex, '[0-9]{1,3}') then cast(code_paydex as integer) end as code
    from stg_paydex
    where siren not in (select siren from siren_blacklist)
    qualify row_number() over (
        partition by siren, date_valeur order by file_number desc, line desc
    ) = 1
)

select
    siren,
    date_valeur,
    coalesce(
        paydex,
        case when code <= 50 then 180 - 3 * code end,
        case
            when code > 50
                then [
                    29, 29, 28, 27, 26, 26, 25, 24, 23, 22, 22, 21, 20, 19, 19, 19, 18, 17, 16, 15, 14, 12, 11, 9, 8, 6, 5, 3, 1
                ][code - 50]
        end
    ) as paydex,
    -- `least` and `greatest` ignore NULL: without the `case` an unknown share would become 0 or 100.
    case when fpi_30 is not null then least(greatest(fpi_30, 0), 100) / 100 end as fpi_30,
    case when fpi_90 is not null then least(greatest(fpi_90, 0), 100) / 100 end as fpi_90,
    encours_etudies,
    n_fournisseurs
from measures
