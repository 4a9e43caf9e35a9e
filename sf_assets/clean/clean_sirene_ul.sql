-- One row is one legal unit of the register, in the perimeter or not, with its seat wherever that is (sources.md §6.8).
-- A natural person is named by the names that exist, followed by EI; a unit without any has no name (decision B6). Of
-- several seats, or of a seat that the register repeats, the open one counts, then the newest, as in feat_company_month.
with seats as (
    select siren, siret, departement
    from stg_sirene
    where siege
    qualify
        row_number() over (
            partition by siren order by est_actif desc nulls last, date_creation desc nulls last, siret, code_commune
        ) = 1
)

select
    ul.siren,
    coalesce(
        ul.raison_sociale,
        nullif(
            regexp_replace(
                concat_ws(
                    ' ',
                    ul.nom_unite_legale,
                    ul.nom_usage_unite_legale,
                    ul.prenom1_unite_legale,
                    ul.prenom2_unite_legale,
                    ul.prenom3_unite_legale,
                    ul.prenom4_unite_legale
                ),
                ' {2,}', ' ', 'g'
            ),
            ''
        ) || ' EI'
    ) as raison_sociale,
    ul.categorie_juridique,
    categories.libelle as libelle_categorie_juridique,
    ul.activite_principale,
    naf.niv5_libelle as libelle_activite_principale,
    naf.niv1 as naf_section,
    naf.niv1_libelle as libelle_naf_section,
    ul.activite_principale_naf25,
    naf25.niv5_libelle as libelle_activite_principale_naf25,
    naf25.niv1 as naf25_section,
    naf25.niv1_libelle as libelle_naf25_section,
    seats.departement,
    seats.siret as siret_siege,
    departements.libelle_departement,
    departements.region,
    departements.libelle_region,
    ul.creation,
    ul.est_actif
from stg_sirene_ul as ul
left join categories_juridiques as categories on ul.categorie_juridique = categories.code
left join naf_codes as naf on ul.activite_principale = naf.niv5
left join naf25_codes as naf25 on ul.activite_principale_naf25 = naf25.niv5
left join seats on ul.siren = seats.siren
left join labels_departement_region as departements on seats.departement = departements.departement
