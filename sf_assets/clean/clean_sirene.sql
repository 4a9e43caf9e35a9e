-- One row is one establishment of the register, in the perimeter or not (rules §6.7). The address has only the parts
-- that exist: street, then postal code and commune, then country, each on its line (deviation B6). Activities are coded
-- in both nomenclatures whichever INSEE delivered; where a code corresponds to several, the pair of codes of its legal
-- unit decides.
with addressed as (
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
    from ({coded_activities}) as coded
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
