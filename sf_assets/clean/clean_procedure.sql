-- One row is one step of a company's collective procedure according to one source. It is known from its publication for
-- BODACC, from a delay after its effect for URSSAF, until its announcement is corrected. A procedure in several
-- announcements, or in both sources, counts once: of steps of the same kind and name whose dates of effect are at most
-- thirty days apart, the one published first counts, unless it was withdrawn, and the others are repetitions. Two steps
-- of URSSAF never repeat one another. Thirty days, because no procedure opens twice within that time, and courts,
-- BODACC and URSSAF date the same judgment a few days apart. Repetitions stay in the table: the step published first
-- may have been withdrawn since, or be withdrawn later. A closing judgment that names no kind closes every kind of
-- procedure that the company was in.
with etapes as (
    select
        siren,
        'urssaf' as source,
        date_effet,
        action_procol,
        stade_procol,
        libelle_procol,
        known_from_procol(date_effet) as date_publication,
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
        on case when etapes.source = 'bodacc' and etapes.action_procol is null then etapes.siren end = connues.siren
),

ordonnees as (
    select
        *,
        coalesce(stade_procol in ('fin_procedure', 'inclusion_autre_procedure'), false) as est_close,
        -- Of stages reached on the same day, the later in the course of a procedure comes first (rank 1).
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
),

repetitions as (
    select distinct e.siren, e.rang
    from ordonnees as e
    join ordonnees as deja
        on
            e.siren = deja.siren
            and e.action_procol = deja.action_procol
            and e.libelle_procol = deja.libelle_procol
            and e.est_close = deja.est_close
            and e.rang > deja.rang
    where
        deja.date_retrait is null
        and not (deja.source = 'urssaf' and e.source = 'urssaf')
        and abs(deja.date_effet - e.date_effet) <= 30
)

select
    ordonnees.siren,
    source,
    repetitions.rang is not null as est_repetition,
    date_effet,
    action_procol,
    stade_procol,
    libelle_procol,
    date_publication,
    date_retrait,
    -- A later step that was not withdrawn replaces this one once it is known; the end of a plan is known with the same
    -- delay as its start. `least` ignores NULL.
    least(
        date_retrait,
        min(case when date_retrait is null then date_publication end) over (
            partition by ordonnees.siren, action_procol
            order by
                date_effet, rang_stade desc, stade_procol desc nulls first, source desc, date_publication, ordonnees.rang
            rows between 1 following and unbounded following
        ),
        cast(date_terme + to_days(cast(date_publication - date_effet as integer)) as date)
    ) as date_oubli,
    est_close,
    rang_stade,
    date_terme
from ordonnees
left join repetitions on ordonnees.siren = repetitions.siren and ordonnees.rang = repetitions.rang
