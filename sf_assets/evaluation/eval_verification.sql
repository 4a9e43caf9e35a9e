-- One row is one past published list whose horizon has passed, at one of its two levels: how many of its companies failed, and
-- the precision that was announced. The moderate level counts all alerts, as its threshold does. A company that was already in a
-- procedure, as is known now, is left out of the precision. The interval is Wilson's (1927) at 95 %.
with levels as (
    select unnest([1, 2]) as niveau, unnest(['modere_precision', 'fort_precision']) as mesure
),

published as (
    -- Several files, or files written again, may hold the same list: it counts once.
    select distinct month, list_version as version from list_export
),

counted as (
    select
        a.month as mois_liste,
        a.version as list_version,
        a.scores_version,
        l.niveau,
        l.mesure,
        a.methode,
        count(*) as entreprises,
        count(*) filter (not t.en_procedure) as suivies,
        count(*) filter (t.target and not t.en_procedure) as defaillances,
        round(avg(a.probabilite), 9) as probabilite_moyenne
    from list_alerts as a
    join published using (month, version)
    join levels as l on a.niveau >= l.niveau
    left join model_target as t on a.siren = t.siren and a.month = t.periode
    where a.month in (select periode from model_target)
    group by all
)

select
    c.mois_liste,
    c.list_version,
    c.scores_version,
    c.niveau,
    c.methode,
    c.entreprises,
    c.suivies,
    c.defaillances,
    c.defaillances / nullif(c.suivies, 0) as precision,
    (c.defaillances + 1.92 - 1.96 * sqrt(c.defaillances * (c.suivies - c.defaillances) / nullif(c.suivies, 0) + 0.96))
    / (c.suivies + 3.84) as bas,
    (c.defaillances + 1.92 + 1.96 * sqrt(c.defaillances * (c.suivies - c.defaillances) / nullif(c.suivies, 0) + 0.96))
    / (c.suivies + 3.84) as haut,
    c.probabilite_moyenne,
    e.valeur as precision_annoncee
from counted as c
left join model_evaluation as e
    on c.mois_liste = e.month
    and c.methode = e.methode
    and c.mesure = e.mesure
    and e.lecture = 'hors_procedure'
