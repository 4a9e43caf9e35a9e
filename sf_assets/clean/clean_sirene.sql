-- One row is one establishment of the register, in the perimeter or not (sources.md §6.7). The address holds only what
-- exists: street, then postal code and commune, then country, each on its line (decision B6).
select
    stg_sirene.siren,
    stg_sirene.siret,
    stg_sirene.siege,
    nullif(
        regexp_replace(
            concat_ws(
                chr(10),
                nullif(
                    concat_ws(
                        ' ',
                        stg_sirene.numero_voie,
                        stg_sirene.indrep,
                        stg_sirene.type_voie,
                        stg_sirene.voie,
                        '(' || stg_sirene.complement_adresse || ')'
                    ),
                    ''
                ),
                nullif(concat_ws(' ', stg_sirene.code_postal, stg_sirene.commune), ''),
                stg_sirene.pays_etranger
            ),
            ' {2,}', ' ', 'g'
        ),
        ''
    ) as adresse,
    stg_sirene.code_commune,
    stg_sirene.departement,
    departements.libelle_departement,
    departements.region,
    departements.libelle_region,
    stg_sirene.ape,
    naf_codes.niv1 as naf_section,
    stg_sirene.date_creation,
    stg_sirene.longitude,
    stg_sirene.latitude,
    stg_sirene.est_actif
from stg_sirene
left join labels_departement_region as departements on stg_sirene.departement = departements.departement
left join naf_codes on stg_sirene.ape = naf_codes.niv5
