-- One row is one code of a nomenclature, with its corresponding code in the other. INSEE's correspondence decides where
-- it names a single code; otherwise the code that most units have beside it (`clean_naf_paire`) is taken. Where no unit
-- has both codes, a code whose whole content corresponds comes before a code of which only a part does, then the
-- nearest code in the nomenclature.
with observees as (
    select
        naf,
        naf25,
        count(*) as unites
    from clean_naf_paire
    group by naf, naf25
),

relations as (
    select
        naf,
        naf25,
        coalesce(observees.unites, 0) as unites,
        count(*) over (partition by naf) as successeurs,
        count(*) over (partition by naf25) as predecesseurs,
        case when naf[:5] = naf25[:5] then 0 when naf[:2] = naf25[:2] then 1 else 2 end as distance
    from naf_passage
    left join observees using (naf, naf25)
)

select
    'NAFRev2' as nomenclature,
    naf as code,
    naf25 as correspondant,
    case when successeurs = 1 then 'unique' when unites > 0 then 'frequente' else 'presumee' end as origine
from relations
qualify row_number() over (partition by naf order by unites desc, distance, naf25) = 1
union all
select
    'NAF2025' as nomenclature,
    naf25 as code,
    naf as correspondant,
    case when predecesseurs = 1 then 'unique' when unites > 0 then 'frequente' else 'presumee' end as origine
from relations
qualify row_number() over (partition by naf25 order by unites desc, successeurs > 1, distance, naf) = 1
