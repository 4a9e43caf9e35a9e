-- One row is one legal unit whose activity was once delivered in both NAF rev. 2 and NAF 2025, with its last such pair
-- of codes. A stock after the switch of 1 January 2027 brings one code: where that code corresponds to several, the
-- unit's own pair of an earlier batch decides. Pairs that INSEE's correspondence determines alone, in both directions,
-- are left out.
with livrees as (
    select
        siren,
        activite_principale as naf,
        activite_principale_naf25 as naf25
    from stg_sirene_ul
    where
        coalesce(nomenclature_activite, 'NAFRev2') = 'NAFRev2'
        and activite_principale in (select niv5 from naf_codes)
        and activite_principale_naf25 in (select niv5 from naf25_codes)
),

connues as (
    select siren, naf, naf25, 1 as rang from livrees
    union all
    select siren, naf, naf25, 2 as rang from clean_naf_paire
),

univoques as (
    select naf, naf25
    from naf_passage
    qualify count(*) over (partition by naf) = 1 and count(*) over (partition by naf25) = 1
)

select
    siren,
    naf,
    naf25
from connues
anti join univoques using (naf, naf25)
qualify row_number() over (partition by siren order by rang, naf, naf25) = 1
