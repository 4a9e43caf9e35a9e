-- One row is one stretch of time during which a company is in one kind of procedure, end excluded, according to the
-- steps of all sources that were not withdrawn, each counted once. The rules are those of clean_procol_episode: for
-- each kind, a step lasts until the next one; a closing stage is no procedure; a plan ends after ten years. Without
-- BODACC the stretches are those of clean_procol_episode.
with etapes as (
    select *
    from clean_procedure
    where date_retrait is null and not est_repetition
    qualify row_number() over (
        partition by siren, action_procol, date_effet
        order by rang_stade, stade_procol nulls last, source
    ) = 1
),

successions as (
    select *, lead(date_effet) over (partition by siren, action_procol order by date_effet) as date_suivante
    from etapes
)

select
    siren,
    action_procol,
    stade_procol,
    libelle_procol,
    source,
    date_effet as date_debut,
    -- `least` ignores NULL: an unknown end.
    least(date_suivante, date_terme) as date_fin
from successions
where not est_close
