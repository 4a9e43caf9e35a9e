-- The rows of the stock of periods of establishments: the columns of INSEE's file. The last period of a closed
-- establishment is the one that closed it; changes of name or activity end the others.
with numbered as (
    select *, unnest(range(1, periods + 1)) as period from drawn_establishments
),

drawn as (
    select
        numbered.*,
        case numbered.nomenclature
            when 'NAFRev2' then activities.naf when 'NAP' then activities.nap else activities.former
        end as code,
        is_closed and period = periods as closes,
        if(is_closed, closed, getvariable('delivered')) - opened as days,
        if(is_closed, periods - 1, periods) as parts
    from numbered
    left join activities on numbered.activity_place = activities.place
)

select
    siren,
    nic,
    siren || nic as siret,
    case when period < periods then opened + cast(period * days // parts as integer) - 1 end as "dateFin",
    opened + cast((period - 1) * days // parts as integer) as "dateDebut",
    if(closes, 'F', 'A') as "etatAdministratifEtablissement",
    closes as "changementEtatAdministratifEtablissement",
    case when draw('sign', e) < 0.12 then 'CHEZ ' || code end as "enseigne1Etablissement",
    null::varchar as "enseigne2Etablissement",
    null::varchar as "enseigne3Etablissement",
    period > 1 and not closes and e % 2 = 0 as "changementEnseigneEtablissement",
    null::varchar as "denominationUsuelleEtablissement",
    false as "changementDenominationUsuelleEtablissement",
    code as "activitePrincipaleEtablissement",
    nomenclature as "nomenclatureActivitePrincipaleEtablissement",
    period > 1 and not closes and e % 2 = 1 as "changementActivitePrincipaleEtablissement",
    if(not is_closed and draw('staff', n) < 0.13, 'O', 'N') as "caractereEmployeurEtablissement",
    false as "changementCaractereEmployeurEtablissement"
from drawn
union all by name
select * replace (
    "dateFin"::date as "dateFin",
    "dateDebut"::date as "dateDebut",
    "changementEtatAdministratifEtablissement"::boolean as "changementEtatAdministratifEtablissement",
    "changementEnseigneEtablissement"::boolean as "changementEnseigneEtablissement",
    "changementDenominationUsuelleEtablissement"::boolean as "changementDenominationUsuelleEtablissement",
    "changementActivitePrincipaleEtablissement"::boolean as "changementActivitePrincipaleEtablissement",
    "changementCaractereEmployeurEtablissement"::boolean as "changementCaractereEmployeurEtablissement"
)
from followed_periods
order by siren, nic, "dateDebut", "dateFin"
