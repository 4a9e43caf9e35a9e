-- One row is one legal unit of the register, in the perimeter or not, with its head office, in France or abroad (rules
-- §6.8). A natural person is named by the names that exist, followed by EI; a unit without any name has none (decision
-- B6). Of several head offices, or of repeated rows of one, the open one counts, then the newest, as in
-- feat_company_month. Activities are coded in both nomenclatures whichever INSEE delivered, with the way each code was
-- decided, so that the history of a unit's sector goes across the change of nomenclature.
with with_names as (
    select
        *,
        concat_ws(
            ' ',
            nom_unite_legale,
            nom_usage_unite_legale,
            prenom1_unite_legale,
            prenom2_unite_legale,
            prenom3_unite_legale,
            prenom4_unite_legale
        ) as noms
    from ({coded_activities}) as coded
),

-- Few units have several head offices: a choice for each unit of the register would sort all of it on disk.
several as (
    select siren from stg_sirene where siege and siren is not null group by siren having count(*) > 1
),

chosen as (
    select siren, siret, departement from stg_sirene where siege and siren not in (select siren from several)
    union all
    select siren, siret, departement
    from stg_sirene
    where siege and siren in (select siren from several)
    qualify
        row_number() over (
            partition by siren order by est_actif desc nulls last, date_creation desc nulls last, siret, code_commune
        ) = 1
),

-- As numbers, the head offices of the whole register fit into the memory of a session, and the units are not sorted on disk
-- to be joined.
head_offices as (
    select siren::bigint as siren, siret::bigint as siret, departement
    from chosen
)

select
    ul.siren,
    coalesce(
        ul.raison_sociale,
        nullif(
            case when contains(ul.noms, '  ') then regexp_replace(ul.noms, ' {2,}', ' ', 'g') else ul.noms end, ''
        ) || ' EI'
    ) as raison_sociale,
    ul.categorie_juridique,
    categories.libelle as libelle_categorie_juridique,
    ul.code_naf as activite_principale,
    naf.niv5_libelle as libelle_activite_principale,
    naf.niv1 as naf_section,
    naf.niv1_libelle as libelle_naf_section,
    ul.code_naf25 as activite_principale_naf25,
    naf25.niv5_libelle as libelle_activite_principale_naf25,
    naf25.niv1 as naf25_section,
    naf25.niv1_libelle as libelle_naf25_section,
    head_offices.departement,
    lpad(head_offices.siret::varchar, 14, '0') as siret_siege,
    departements.libelle_departement,
    departements.region,
    departements.libelle_region,
    ul.creation,
    ul.est_actif,
    ul.nomenclature as nomenclature_activite,
    ul.origine_naf,
    ul.origine_naf25
from with_names as ul
left join categories_juridiques as categories on ul.categorie_juridique = categories.code
left join naf_codes as naf on ul.code_naf = naf.niv5
left join naf25_codes as naf25 on ul.code_naf25 = naf25.niv5
left join head_offices on ul.siren::bigint = head_offices.siren
left join labels_departement_region as departements on head_offices.departement = departements.departement
