-- The rows of the stock of establishments: the columns of INSEE's file, which has no coordinates in degrees.
with drawn as (
    select
        s.*,
        towns.* exclude (place),
        activities.naf25,
        case s.nomenclature when 'NAFRev2' then activities.naf when 'NAP' then activities.nap else activities.former end
            as code,
        draw('street', s.e) as street,
        cast(1 + power(draw('number', s.e), 2) * 180 as integer)::varchar as house
    from drawn_establishments as s
    left join towns on s.town_place = towns.place
    left join activities on s.activity_place = activities.place
)

select
    siren,
    nic,
    siren || nic as siret,
    if(is_masked, 'P', 'O') as "statutDiffusionEtablissement",
    if(draw('birthday', e) < 0.03, null, opened) as "dateCreationEtablissement",
    if(not is_closed and draw('staff', n) < 0.08, '01', 'NN') as "trancheEffectifsEtablissement",
    case when not is_closed and draw('staff', n) < 0.08 then year(getvariable('delivered')) - 2 end
        as "anneeEffectifsEtablissement",
    case when draw('trade', e) < 0.1 then '4322AA' end as "activitePrincipaleRegistreMetiersEtablissement",
    cast(getvariable('delivered') as timestamp) - to_days(cast(draw('treated', e) * 6000 as integer))
        as "dateDernierTraitementEtablissement",
    is_seat as "etablissementSiege",
    periods::bigint as "nombrePeriodesEtablissement",
    case when draw('building', e) < 0.12 then if(is_masked, '[ND]', 'BAT ' || house) end as "complementAdresseEtablissement",
    case when draw('numbered', e) < 0.78 then if(is_masked, '[ND]', house) end as "numeroVoieEtablissement",
    case when draw('repeated', e) < 0.03 then if(is_masked, '[ND]', 'B') end as "indiceRepetitionEtablissement",
    null::varchar as "dernierNumeroVoieEtablissement",
    null::varchar as "indiceRepetitionDernierNumeroVoieEtablissement",
    case
        when draw('typed', e) < 0.85
            then if(is_masked, '[ND]', ['RUE', 'AV', 'BD', 'RTE', 'CHE', 'PL', 'IMP', 'ALL'][1 + cast(street * 7 as integer)])
    end as "typeVoieEtablissement",
    if(
        is_masked,
        '[ND]',
        if(
            e % 3 = 0,
            getvariable('given_names')[1 + cast(hash('street', e) % len(getvariable('given_names')) as integer)] || ' '
            || getvariable('surnames')[1 + cast(hash('street', n) % len(getvariable('surnames')) as integer)],
            getvariable('streets')[1 + cast(street * (len(getvariable('streets')) - 1) as integer)]
        )
    ) as "libelleVoieEtablissement",
    if(is_masked, '[ND]', postal) as "codePostalEtablissement",
    town as "libelleCommuneEtablissement",
    null::varchar as "libelleCommuneEtrangerEtablissement",
    case when draw('cedex', e) < 0.01 then 'CS ' || house end as "distributionSpecialeEtablissement",
    commune as "codeCommuneEtablissement",
    case when draw('cedex', e) < 0.01 then postal end as "codeCedexEtablissement",
    case when draw('cedex', e) < 0.01 then town || ' CEDEX' end as "libelleCedexEtablissement",
    null::varchar as "codePaysEtrangerEtablissement",
    null::varchar as "libellePaysEtrangerEtablissement",
    case when not is_masked and draw('located', e) < 0.8 then commune || '_B' end as "identifiantAdresseEtablissement",
    if(is_masked, '[ND]', format('{:.2f}', 650000 + street * 200000)) as "coordonneeLambertAbscisseEtablissement",
    if(is_masked, '[ND]', format('{:.2f}', 6650000 + draw('north', e) * 90000)) as "coordonneeLambertOrdonneeEtablissement",
    null::varchar as "complementAdresse2Etablissement",
    null::varchar as "numeroVoie2Etablissement",
    null::varchar as "indiceRepetition2Etablissement",
    null::varchar as "typeVoie2Etablissement",
    null::varchar as "libelleVoie2Etablissement",
    null::varchar as "codePostal2Etablissement",
    null::varchar as "libelleCommune2Etablissement",
    null::varchar as "libelleCommuneEtranger2Etablissement",
    null::varchar as "distributionSpeciale2Etablissement",
    null::varchar as "codeCommune2Etablissement",
    null::varchar as "codeCedex2Etablissement",
    null::varchar as "libelleCedex2Etablissement",
    null::varchar as "codePaysEtranger2Etablissement",
    null::varchar as "libellePaysEtranger2Etablissement",
    if(is_closed, closed, opened) as "dateDebut",
    if(is_closed, 'F', 'A') as "etatAdministratifEtablissement",
    case when draw('sign', e) < 0.12 then 'CHEZ ' || town end as "enseigne1Etablissement",
    null::varchar as "enseigne2Etablissement",
    null::varchar as "enseigne3Etablissement",
    null::varchar as "denominationUsuelleEtablissement",
    code as "activitePrincipaleEtablissement",
    nomenclature as "nomenclatureActivitePrincipaleEtablissement",
    case when not is_closed or draw('naf25', n) < 0.5 then naf25 end as "activitePrincipaleNAF25Etablissement",
    if(not is_closed and draw('staff', n) < 0.13, 'O', 'N') as "caractereEmployeurEtablissement"
from drawn
union all by name
select * exclude (
    longitude, latitude, geo_score, geo_type, geo_adresse, geo_id, geo_ligne, geo_l4, geo_l5
) replace (
    "dateCreationEtablissement"::date as "dateCreationEtablissement",
    "anneeEffectifsEtablissement"::bigint as "anneeEffectifsEtablissement",
    "dateDernierTraitementEtablissement"::timestamp as "dateDernierTraitementEtablissement",
    "etablissementSiege"::boolean as "etablissementSiege",
    "nombrePeriodesEtablissement"::bigint as "nombrePeriodesEtablissement",
    "dateDebut"::date as "dateDebut"
)
from followed_establishments
order by siren, nic
