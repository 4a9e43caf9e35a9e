-- One row is one company of one announcement of a judgment, from its publication until the publication of its
-- correction; without an end while it is uncorrected. A rectification replaces the announcement it refers to; a
-- cancellation, or the retraction of a judgment upon opposition, leaves no row. In a chain of corrections, the last
-- published one counts. Announcements that repeat one another all have a row: removing one in favour of another that is
-- corrected later would change the past, and clean_procedure counts them once. The table of natures gives the meaning
-- of a judgment; the complement decides where the nature alone is not enough. A judgment takes effect on its own day.
-- When that day is unknown, after the publication or more than two years before it (a typing error), it takes effect on
-- the day of publication.
with recursive annonces as (
    select distinct id_annonce, type_avis, date_parution, id_avis_precedent, famille_jugement
    from stg_bodacc
),

liens as (
    select id_annonce, date_parution, id_avis_precedent as racine, 1 as pas
    from annonces
    where id_avis_precedent <> id_annonce
    union all
    select liens.id_annonce, liens.date_parution, annonces.id_avis_precedent, liens.pas + 1
    from liens
    -- A correction refers to an announcement published by then: a later one must not change its meaning.
    join annonces on liens.racine = annonces.id_annonce and liens.date_parution >= annonces.date_parution
    -- Chains of corrections are short; the bound stops corrections that refer to one another.
    where annonces.id_avis_precedent <> annonces.id_annonce and liens.pas < 10
),

racines as (
    select id_annonce, arg_max(racine, pas) as racine from liens group by id_annonce
),

durees as (
    select
        annonces.id_annonce,
        annonces.date_parution,
        annonces.type_avis = 'annulation'
        or starts_with(
            strip_accents(lower(coalesce(annonces.famille_jugement, ''))), 'retractation sur tierce opposition'
        ) as annule,
        lead(annonces.date_parution) over (
            partition by coalesce(racines.racine, annonces.id_annonce)
            order by annonces.date_parution, annonces.type_avis <> 'annonce', annonces.id_annonce
        ) as date_retrait
    from annonces
    left join racines on annonces.id_annonce = racines.id_annonce
),

jugements as (
    select
        stg.siren,
        stg.id_annonce,
        stg.date_parution as date_publication,
        durees.date_retrait,
        case
            when stg.date_jugement between stg.date_parution - interval 2 year and stg.date_parution
                then stg.date_jugement
            else stg.date_parution
        end as date_effet,
        stg.nature_jugement,
        nullif(natures.statut, 'aucun') as statut,
        -- NULL when a judgment applies to whichever procedure the company is in.
        case when natures.action not in ('aucune', 'toutes') then natures.action end as action_procol,
        nullif(natures.stade, 'aucun') as stade_procol,
        nullif(natures.libelle, 'aucun') as libelle_procol,
        stg.tribunal,
        stg.nature_jugement is null or natures.nature is not null as est_connue
    from stg_bodacc as stg
    join durees on stg.id_annonce = durees.id_annonce
    left join bodacc_natures as natures
        on
            stg.nature_jugement = natures.nature
            and (
                natures.complement = '*'
                or contains(
                    lower(regexp_replace(replace(stg.complement_jugement, '’', ''''), '[\s\x{00A0}]+', ' ', 'g')),
                    lower(replace(natures.complement, '’', ''''))
                )
            )
    where
        -- A correction about another company, or of another family, only acts on the announcement it refers to.
        stg.siren is not null
        and not durees.annule
        and (durees.date_retrait is null or durees.date_retrait > durees.date_parution)
        and stg.siren not in (select siren from siren_blacklist)
    qualify row_number() over (partition by stg.siren, stg.id_annonce order by natures.rang) = 1
)

select *
from jugements
