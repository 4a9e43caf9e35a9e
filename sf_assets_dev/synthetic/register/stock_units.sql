-- The rows of the stock of legal units: the columns of INSEE's file, drawn units and followed companies together.
with drawn as (
    select
        u.siren,
        if(u.is_masked, 'P', 'O') as statut_diffusion,
        case when not u.is_active and u.end_day < date '2001-01-01' then true end as purged,
        if(draw('birthday', u.n) < 0.03, null, u.first_day) as created,
        case when not u.is_person and draw('acronym', u.n) < 0.12 then u.surname[1:4] end as acronym,
        case when u.is_person then if(draw('sex', u.n) < 0.4, 'F', 'M') end as sex,
        case when u.is_person then if(u.is_masked, '[ND]', u.given) end as first_name,
        case when u.is_person and draw('second', u.n) < 0.35 then if(u.is_masked, '[ND]', u.other) end as second_name,
        case when u.is_person then if(u.is_masked, '[ND]', u.surname) end as family_name,
        case when u.is_person and draw('usage', u.n) < 0.08 then if(u.is_masked, '[ND]', u.other_surname) end as usage,
        case when not u.is_person then u.surname || ' ' || u.other_surname end as company_name,
        cast(getvariable('delivered') as timestamp) - to_days(cast(draw('treated', u.n) * 6000 as integer)) as treated,
        if(u.is_active and draw('staff', u.n) < 0.08, '01', 'NN') as band,
        1 + cast(draw('states', u.n) * 3 as bigint) as states,
        if(u.is_active, u.first_day, u.end_day) as since,
        if(u.is_active, 'A', 'C') as state,
        case
            when u.is_person then '1000'
            else ['5499', '5710', '6540', '9220', '5202', '6598', '7210', '2110'][1 + u.n % 8]
        end as category,
        u.code,
        u.nomenclature,
        case when u.is_active or draw('naf25', u.n) < 0.5 then u.naf25 end as second_code,
        lpad(cast(u.establishments * 10 + (u.n + u.establishments * 7) % 10 as varchar), 5, '0') as seat_nic,
        if(u.is_active and draw('staff', u.n) < 0.13, 'O', 'N') as employs
    from (
        select
            drawn_units.*,
            activities.naf25,
            case nomenclature when 'NAFRev2' then activities.naf when 'NAP' then activities.nap else activities.former end
                as code,
            getvariable('surnames')[1 + cast(hash('name', n) % len(getvariable('surnames')) as integer)] as surname,
            getvariable('surnames')[1 + cast(hash('usage', n) % len(getvariable('surnames')) as integer)]
                as other_surname,
            getvariable('given_names')[1 + cast(hash('given', n) % len(getvariable('given_names')) as integer)] as given,
            getvariable('given_names')[1 + cast(hash('other', n) % len(getvariable('given_names')) as integer)] as other
        from drawn_units
        left join activities on drawn_units.activity_place = activities.place
    ) as u
)

select
    siren,
    statut_diffusion as "statutDiffusionUniteLegale",
    purged as "unitePurgeeUniteLegale",
    created as "dateCreationUniteLegale",
    acronym as "sigleUniteLegale",
    sex as "sexeUniteLegale",
    first_name as "prenom1UniteLegale",
    second_name as "prenom2UniteLegale",
    null::varchar as "prenom3UniteLegale",
    null::varchar as "prenom4UniteLegale",
    first_name as "prenomUsuelUniteLegale",
    null::varchar as "pseudonymeUniteLegale",
    null::varchar as "identifiantAssociationUniteLegale",
    band as "trancheEffectifsUniteLegale",
    case when band <> 'NN' then year(getvariable('delivered')) - 2 end as "anneeEffectifsUniteLegale",
    treated as "dateDernierTraitementUniteLegale",
    states as "nombrePeriodesUniteLegale",
    if(band = 'NN', null, 'PME') as "categorieEntreprise",
    case when band <> 'NN' then year(getvariable('delivered')) - 2 end as "anneeCategorieEntreprise",
    since as "dateDebut",
    state as "etatAdministratifUniteLegale",
    family_name as "nomUniteLegale",
    usage as "nomUsageUniteLegale",
    company_name as "denominationUniteLegale",
    null::varchar as "denominationUsuelle1UniteLegale",
    null::varchar as "denominationUsuelle2UniteLegale",
    null::varchar as "denominationUsuelle3UniteLegale",
    category as "categorieJuridiqueUniteLegale",
    code as "activitePrincipaleUniteLegale",
    nomenclature as "nomenclatureActivitePrincipaleUniteLegale",
    second_code as "activitePrincipaleNAF25UniteLegale",
    seat_nic as "nicSiegeUniteLegale",
    case when state = 'A' then 'N' end as "economieSocialeSolidaireUniteLegale",
    null::varchar as "societeMissionUniteLegale",
    employs as "caractereEmployeurUniteLegale"
from drawn
union all by name
select * replace (
    "unitePurgeeUniteLegale"::boolean as "unitePurgeeUniteLegale",
    "dateCreationUniteLegale"::date as "dateCreationUniteLegale",
    "anneeEffectifsUniteLegale"::bigint as "anneeEffectifsUniteLegale",
    "dateDernierTraitementUniteLegale"::timestamp as "dateDernierTraitementUniteLegale",
    "nombrePeriodesUniteLegale"::bigint as "nombrePeriodesUniteLegale",
    "anneeCategorieEntreprise"::bigint as "anneeCategorieEntreprise",
    "dateDebut"::date as "dateDebut"
)
from followed_units
order by siren
