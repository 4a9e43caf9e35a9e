-- One row is one establishment of the register, in the perimeter or not (rules §6.7). The address has only the parts
-- that exist: street, then postal code and commune, then country, each on its line (decision B6). Activities are coded
-- in both nomenclatures whichever INSEE delivered; where a code corresponds to several, the pair of codes of its legal
-- unit decides.
with delivered as (
    select
        *,
        case nomenclature when 'NAFRev2' then ape end as naf,
        case nomenclature when 'NAF2025' then ape else ape_naf25 end as naf25
    from (
        -- No code is in both tables: a code without a nomenclature belongs to the table that contains it.
        select
            establishments.*,
            case
                when establishments.nomenclature_activite is not null then establishments.nomenclature_activite
                when former.niv5 is not null then 'NAFRev2'
                when latter.niv5 is not null then 'NAF2025'
            end as nomenclature
        from stg_sirene as establishments
        left join naf_codes as former on establishments.ape = former.niv5
        left join naf25_codes as latter on establishments.ape = latter.niv5
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
),

coded as (
    select
        d.*,
        coalesce(d.naf, d.naf_paire, former.correspondant) as code_naf,
        coalesce(d.naf25, d.naf25_paire, latter.correspondant) as code_naf25,
        case when d.naf is not null then 'livree' when d.naf_paire is not null then 'paire' else former.origine end
            as origine_naf,
        case when d.naf25 is not null then 'livree' when d.naf25_paire is not null then 'paire' else latter.origine end
            as origine_naf25
    from paired as d
    left join clean_naf_passage as former on former.nomenclature = 'NAF2025' and d.naf25 = former.code
    left join clean_naf_passage as latter on latter.nomenclature = 'NAFRev2' and d.naf = latter.code
),

addressed as (
    select
        *,
        concat_ws(
            chr(10),
            nullif(
                concat_ws(' ', numero_voie, indrep, type_voie, voie, '(' || complement_adresse || ')'), ''
            ),
            nullif(concat_ws(' ', code_postal, commune), ''),
            pays_etranger
        ) as lignes
    from coded
)

select
    coded.siren,
    coded.siret,
    coded.siege,
    -- Few addresses have double blanks, and the pattern would take longer than the rest.
    nullif(
        case when contains(lignes, '  ') then regexp_replace(lignes, ' {2,}', ' ', 'g') else lignes end, ''
    ) as adresse,
    coded.code_commune,
    coded.departement,
    departements.libelle_departement,
    departements.region,
    departements.libelle_region,
    coded.code_naf as ape,
    naf_codes.niv1 as naf_section,
    coded.date_creation,
    coded.longitude,
    coded.latitude,
    coded.est_actif,
    coded.nomenclature as nomenclature_activite,
    coded.code_naf25 as ape_naf25,
    naf25_codes.niv1 as naf25_section,
    coded.origine_naf,
    coded.origine_naf25
from addressed as coded
left join labels_departement_region as departements on coded.departement = departements.departement
left join naf_codes on coded.code_naf = naf_codes.niv5
left join naf25_codes on coded.code_naf25 = naf25_codes.niv5
