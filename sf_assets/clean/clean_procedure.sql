-- One row is one step of a company's collective procedure as one source tells it, known from a day on: that of the
-- publication for BODACC, $procol_days days after its effect for URSSAF. It stops being known once its announcement is
-- corrected. A procedure that several announcements or both sources tell counts once: of steps of the same kind and name
-- whose dates of effect are at most thirty days apart the one published first stays, provided that it still stands and
-- that not both come from URSSAF, whose own steps are all kept. No procedure opens twice within thirty days, and courts,
-- BODACC and URSSAF date the same judgment a few days apart. A closing judgment that names no kind closes every kind the
-- company was in.
with etapes as (
    select
        siren,
        'urssaf' as source,
        date_effet,
        action_procol,
        stade_procol,
        libelle_procol,
        date_effet + $procol_days as date_publication,
        cast(null as date) as date_retrait,
        cast(null as varchar) as id_annonce
    from clean_procol
    union all
    select
        siren,
        'bodacc' as source,
        date_effet,
        action_procol,
        stade_procol,
        libelle_procol,
        date_publication,
        date_retrait,
        id_annonce
    from clean_bodacc
    where stade_procol is not null
),

situees as (
    select etapes.* replace (coalesce(etapes.action_procol, connues.action_procol) as action_procol)
    from etapes
    left join (select distinct siren, action_procol from etapes where action_procol is not null) as connues
        on etapes.siren = connues.siren and etapes.source = 'bodacc' and etapes.action_procol is null
),

ordonnees as (
    select
        *,
        coalesce(stade_procol in ('fin_procedure', 'inclusion_autre_procedure'), false) as est_close,
        -- Of stages reached on the same day, the later in the course of a procedure comes first.
        case stade_procol
            when 'fin_procedure' then 1
            when 'inclusion_autre_procedure' then 2
            when 'plan_continuation' then 3
            when 'ouverture' then 5
            else 4
        end as rang_stade,
        case when stade_procol = 'plan_continuation' then cast(date_effet + interval 10 year as date) end as date_terme,
        row_number() over (partition by siren order by date_publication, source, date_effet, id_annonce) as rang
    from situees
)

select
    e.siren,
    e.source,
    e.date_effet,
    e.action_procol,
    e.stade_procol,
    e.libelle_procol,
    e.date_publication,
    e.date_retrait,
    e.est_close,
    e.rang_stade,
    e.date_terme
from ordonnees as e
where not exists (
    select 1
    from ordonnees as deja
    where
        deja.siren = e.siren
        and deja.action_procol = e.action_procol
        and deja.libelle_procol = e.libelle_procol
        and deja.est_close = e.est_close
        and deja.rang < e.rang
        and deja.date_retrait is null
        and not (deja.source = 'urssaf' and e.source = 'urssaf')
        and abs(deja.date_effet - e.date_effet) <= 30
)
