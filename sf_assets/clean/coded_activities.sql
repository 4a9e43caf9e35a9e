-- One row is one row of a table of the register, with its activity in both nomenclatures and how each code was decided: as
-- delivered, by the pair of codes of its legal unit, or by the table of passage.
with delivered as (
    select
        *,
        case nomenclature when 'NAFRev2' then {code} end as naf,
        case nomenclature when 'NAF2025' then {code} else {new_code} end as naf25
    from (
        -- No code is in both tables: a code without a nomenclature belongs to the table that contains it.
        select
            rows_of_register.*,
            case
                when rows_of_register.nomenclature_activite is not null then rows_of_register.nomenclature_activite
                when former.niv5 is not null then 'NAFRev2'
                when latter.niv5 is not null then 'NAF2025'
            end as nomenclature
        from {register} as rows_of_register
        left join naf_codes as former on rows_of_register.{code} = former.niv5
        left join naf25_codes as latter on rows_of_register.{code} = latter.niv5
    ) as named
),

-- Joined by the siren alone: with `or` in the condition, DuckDB would compare every row with every pair.
paired as (
    select
        delivered.*,
        case when delivered.naf = paires.naf or delivered.naf25 = paires.naf25 then paires.naf end as naf_paire,
        case when delivered.naf = paires.naf or delivered.naf25 = paires.naf25 then paires.naf25 end as naf25_paire
    from delivered
    left join clean_naf_paire as paires on delivered.siren = paires.siren
)

select
    d.*,  -- noqa: AM04
    coalesce(d.naf, d.naf_paire, former.correspondant) as code_naf,
    coalesce(d.naf25, d.naf25_paire, latter.correspondant) as code_naf25,
    case when d.naf is not null then 'livree' when d.naf_paire is not null then 'paire' else former.origine end
        as origine_naf,
    case when d.naf25 is not null then 'livree' when d.naf25_paire is not null then 'paire' else latter.origine end
        as origine_naf25
from paired as d
left join clean_naf_passage as former on former.nomenclature = 'NAF2025' and d.naf25 = former.code
left join clean_naf_passage as latter on latter.nomenclature = 'NAFRev2' and d.naf = latter.code
